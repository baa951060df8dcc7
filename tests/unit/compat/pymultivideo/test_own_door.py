import logging
from collections.abc import Callable, Iterator

import pytest

from zbus.compat.pymultivideo import FrontEndSettings
from zbus.compat.pymultivideo._own_door import OwnDoor, _reachable
from zbus.errors import ExposedAddress
from zbus.transport import Puller, Pusher, Reactor
from zbus.wire import State, decode_overlays

DEADLINE_S = 5.0
SETTINGS = FrontEndSettings("cam1", pull_address="tcp://127.0.0.1:0", pull_rate=100.0)
BOX = b'{"DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}}'


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    with Reactor() as reactor:
        yield reactor


@pytest.fixture
def door(reactor: Reactor) -> Iterator[OwnDoor]:
    with OwnDoor(SETTINGS, reactor, "here") as door:
        door.fit((160, 120))
        yield door


@pytest.fixture
def client(door: OwnDoor) -> Iterator[Pusher]:
    with Pusher(door.endpoint) as client:
        yield client


def until(reactor: Reactor, condition: Callable[[], bool]) -> None:
    deadline = reactor.after(DEADLINE_S, lambda: pytest.fail("it did not happen"))
    while not condition():
        reactor.run_once(0.01)
    deadline.cancel()


def state_of_overlay_node(door: str, host: str) -> State:
    return State("overlay", "running", 1, host, 1, details={"door": door})


def test_boxes_go_on_to_the_door_that_was_heard_of(reactor: Reactor, door: OwnDoor, client: Pusher) -> None:
    assert client.send(BOX, DEADLINE_S)
    until(reactor, lambda: door.counters["undelivered"] == 1)
    with Puller("tcp://127.0.0.1:0") as first, Puller("tcp://127.0.0.1:0") as second:
        check_that_boxes_arrive(reactor, door, client, first)
        check_that_boxes_arrive(reactor, door, client, second)


def check_that_boxes_arrive(reactor: Reactor, door: OwnDoor, client: Pusher, rig_door: Puller) -> None:
    taken: list[bytes] = []

    def arrives() -> bool:
        client.send(BOX)
        taken.extend(rig_door.take())
        return bool(taken)

    door.hear(state_of_overlay_node(rig_door.endpoint, "here"))
    assert door.rig_door == rig_door.endpoint
    until(reactor, arrives)
    (overlay,) = decode_overlays(taken[0])
    assert (overlay.camera, overlay.id) == ("cam1", "pymultivideo")


def test_a_flood_of_junk_is_one_line_in_the_log(
    reactor: Reactor, door: OwnDoor, client: Pusher, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(1, 31):
            assert client.send(b'{"DRAW\n', DEADLINE_S)
            until(reactor, lambda number=number: door.counters["malformed"] == number)
        reactor.run_once(0.05)
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert door.counters["malformed_bad_json"] == 30


@pytest.mark.parametrize(
    ("door", "host", "reached"),
    [
        ("tcp://127.0.0.1:5556", "here", "tcp://127.0.0.1:5556"),
        ("tcp://127.0.0.1:5556", "there", ""),
        ("tcp://0.0.0.0:5556", "here", "tcp://127.0.0.1:5556"),
        ("tcp://0.0.0.0:5556", "there", "tcp://there:5556"),
        ("tcp://10.0.0.7:5556", "there", "tcp://10.0.0.7:5556"),
        ("", "here", ""),
    ],
)
def test_a_door_is_reached_where_it_can_be(door: str, host: str, reached: str) -> None:
    assert _reachable(door, host, "here") == reached


def test_the_network_is_let_in_only_on_demand(reactor: Reactor) -> None:
    settings = FrontEndSettings("cam1", pull_address="tcp://0.0.0.0:0")
    with pytest.raises(ExposedAddress), OwnDoor(settings, reactor, "here"):
        pass
