"""The way over to the board and back, for every order in which board, messages and reader may take turns."""

import random

import pytest

from zbus.transport._bell import has_bell
from zbus.transport._bell_way import BellWay
from zbus.transport._board import BoardReader, BoardWriter
from zbus.wire import Origin, RingHeader, slot_stride

pytestmark = pytest.mark.skipif(not has_bell(), reason="there are no bells here")

HEADER = RingHeader(5, 4, slot_stride(100), 100, 1, 2, board_entries=8, board_entry_bytes=128)


class World:
    """A publisher and a reader's way, messages between them that wait, and subscriptions that take time."""

    def __init__(self, session: str = "s1") -> None:
        self.wanted = {"ring": True, "bell": False}
        self.heard = dict(self.wanted)
        self.way = BellWay(self._tell("bell"), self._tell("ring"))
        self.queue: list[tuple[str, int, bytes]] = []
        self.taken: list[int] = []
        self.seq, self.session = 0, session
        self.new_ring()

    def _tell(self, topic):
        def tell(is_on: bool) -> None:
            assert topic == "ring" or self.wanted[topic] is not is_on, "subscribed twice"
            self.wanted[topic] = is_on

        return tell

    def new_ring(self) -> None:
        memory = memoryview(bytearray(HEADER.file_bytes))
        self.writer, self.board = BoardWriter(memory, HEADER), BoardReader(memory, HEADER)
        self.is_new = True

    def hear(self) -> None:
        """What was subscribed to comes through."""
        self.heard = dict(self.wanted)

    def send(self, *, with_board: bool = True, with_life: bool = False) -> None:
        data = b"%s %d" % (self.session.encode(), self.seq)
        if self.heard["bell"]:
            is_shown = with_board and self.writer.show(data)
            if not is_shown or with_life or self.is_new:
                self.queue.append(("bell", self.seq, data))
            self.is_new = False
        if self.heard["ring"]:
            self.queue.append(("ring", self.seq, data))
        self.seq += 1

    def read_board(self) -> None:
        while self.way.board is not None and (data := self.way.board.read()) is not None:
            session, _, seq = data.partition(b" ")
            self.way.note(session.decode(), int(seq))
            self.taken.append(int(seq))

    def read(self) -> None:
        """As the subscriber does: the board before each message."""
        self.read_board()
        if self.queue:
            topic, seq, data = self.queue.pop(0)
            self.read_board()
            origin = Origin("cam1", data.split()[0].decode(), seq, 0)
            if self.way.pass_on(origin, data, self.board, by_bell=topic == "bell"):
                self.taken.append(seq)

    def read_all(self) -> None:
        while self.queue:
            self.read()
        self.read_board()


@pytest.mark.parametrize("seed", range(200))
def test_over_and_back_in_any_order_nothing_is_missing_and_nothing_comes_twice(seed):
    chance, world = random.Random(seed), World()
    # One publisher in four cannot ring.
    can_ring = seed % 4 > 0

    def send() -> None:
        world.send(with_board=can_ring, with_life=chance.random() < 0.3)

    steps = [world.hear, send, send, send, world.read, world.read]
    for round_ in range(40):
        (world.way.leave if round_ % 2 else world.way.ask)()
        for _ in range(chance.randrange(30)):
            chance.choice(steps)()
            if world.seq > len(world.taken) + 6:
                world.read_all()
        world.read_all()
    world.hear()
    world.read_all()
    assert world.taken == list(range(world.seq))
    assert world.seq > 100


def test_who_waits_hears_by_the_board_alone_and_who_leaves_by_messages_alone():
    world = World()
    world.way.ask()
    world.hear()
    world.send()
    world.read_all()
    assert world.way.board is world.board
    assert world.wanted == {"ring": False, "bell": True}
    world.way.ask()
    world.way.leave()
    assert world.wanted == {"ring": True, "bell": True}
    world.hear()
    world.send()
    world.read_all()
    assert world.way.board is None
    assert world.wanted == {"ring": True, "bell": False}
    assert world.taken == [0, 1]


def test_who_was_never_there_leaves_nothing():
    world = World()
    world.way.ask()
    world.way.leave()
    world.way.leave()
    assert world.wanted == {"ring": True, "bell": False}


def test_another_ring_is_gone_over_to():
    world = World()
    world.way.ask()
    world.hear()
    for _ in range(3):
        world.send()
    world.read_all()
    world.new_ring()
    for _ in range(3):
        world.send()
    world.read_all()
    assert world.way.board is world.board
    assert world.taken == list(range(6))


def test_another_ring_without_a_board_is_heard_of_by_messages():
    world = World()
    world.way.ask()
    world.hear()
    world.send()
    world.read_all()
    world.board, world.is_new = None, True
    world.send(with_board=False)
    world.read_all()
    assert world.way.board is None
    assert world.wanted["ring"]
    assert world.taken == [0, 1]


def test_a_publisher_that_starts_anew_counts_from_0():
    world = World()
    world.way.ask()
    world.hear()
    for _ in range(3):
        world.send()
    world.read_all()
    world.session, world.seq = "s2", 0
    world.new_ring()
    world.send()
    world.send()
    world.read_all()
    assert world.taken == [0, 1, 2, 0, 1]
