import pytest
import zmq

from zbus.errors import AddressInUse, ExposedAddress, TransportError
from zbus.transport import PUSH, Puller, Pusher, make_socket
from zbus.transport._pipeline import TAKE_MAX
from zbus.wire import OVERLAY_MAX_BYTES

ANY = "tcp://127.0.0.1:0"


@pytest.fixture
def door():
    with Puller(ANY) as puller:
        yield puller


def test_what_is_pushed_is_pulled(door, wait_until):
    with Pusher(door.endpoint) as pusher:
        for number in range(3):
            assert pusher.send(b"%d" % number, timeout_s=10)
        taken = []
        wait_until(lambda: taken.extend(door.take()) or len(taken) == 3)
        assert taken == [b"0", b"1", b"2"]
        assert pusher.counters.sent == 3


def test_without_a_door_it_is_dropped_and_counted(free_endpoint):
    with Pusher(free_endpoint()) as pusher:
        assert not pusher.send(b"x")
        assert not pusher.send(b"x", timeout_s=0.05)
        assert (pusher.counters.sent, pusher.counters.dropped) == (0, 2)


def test_a_door_that_does_not_keep_up_does_not_block(door):
    with Pusher(door.endpoint) as pusher:
        assert pusher.send(b"x" * 60_000, timeout_s=10)
        while pusher.send(b"x" * 60_000):
            assert pusher.counters.sent < 100_000
        assert pusher.counters.dropped == 1


def test_two_doors_share(door):
    with Puller(ANY) as other, Pusher([door.endpoint, other.endpoint]) as pusher:
        taken: set[int] = set()
        while len(taken) < 2:
            assert pusher.send(b"x", timeout_s=10)
            taken |= {id(each) for each in (door, other) if each.socket.poll(100) and each.take()}


def test_a_take_has_a_limit(door):
    with Pusher(door.endpoint) as pusher:
        for _ in range(TAKE_MAX + 10):
            assert pusher.send(b"x", timeout_s=10)
        left = TAKE_MAX + 10
        while left:
            taken = len(door.take(limit=7))
            assert taken <= 7
            left -= taken


def test_what_has_several_parts_or_is_too_large_is_no_message(door, wait_until):
    with make_socket(zmq.PUSH, PUSH) as stranger:
        stranger.connect(door.endpoint)
        stranger.send_multipart([b"a", b"b"])
        wait_until(lambda: door.take() == [] and door.wrong_part_count == 1)
        stranger.send(b"x" * (OVERLAY_MAX_BYTES + 1))
    with Pusher(door.endpoint) as pusher:
        assert pusher.send(b"x" * OVERLAY_MAX_BYTES, timeout_s=10)
        taken: list[bytes] = []
        wait_until(lambda: taken.extend(door.take()) or taken)
        assert [len(each) for each in taken] == [OVERLAY_MAX_BYTES]


def test_addresses_that_cannot_be(door):
    with pytest.raises(AddressInUse), Puller(door.endpoint):
        pass
    with pytest.raises(ExposedAddress), Puller("tcp://*:0"):
        pass
    with pytest.raises(TransportError), Pusher("nowhere"):
        pass
    for closed in (Pusher(ANY), Puller(ANY)):
        closed.close()
        with pytest.raises(RuntimeError, match="with statement"):
            closed.send(b"") if isinstance(closed, Pusher) else closed.take()
