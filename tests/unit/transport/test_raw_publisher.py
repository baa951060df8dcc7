from collections.abc import Callable, Iterator

import pytest
import zmq

from zbus.errors import AddressInUse, ExposedAddress
from zbus.transport import FRAMES_OUT, RawPublisher, Reactor

DEADLINE_MS = 5_000


@pytest.fixture
def publisher() -> Iterator[RawPublisher]:
    with RawPublisher("tcp://localhost:0") as publisher:
        yield publisher


@pytest.fixture
def subscriber(publisher: RawPublisher) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context.instance().socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(publisher.endpoint)
        yield socket


def wait_until(condition: Callable[[], bool]) -> None:
    with Reactor() as reactor:
        reactor.every(0.01, lambda: reactor.stop() if condition() else None, first_s=0.0)
        reactor.after(DEADLINE_MS / 1000, reactor.stop)
        reactor.run()
    assert condition()


def test_parts_arrive_as_they_were_sent(publisher: RawPublisher, subscriber: zmq.Socket[bytes]) -> None:
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    wait_until(lambda: publisher.is_wanted)
    picture = bytearray(range(256)) * 1024
    assert publisher.send([b"image", b"\x80", memoryview(picture)])
    assert subscriber.poll(DEADLINE_MS)
    assert subscriber.recv_multipart() == [b"image", b"\x80", bytes(picture)]
    assert (publisher.counters.sent, publisher.counters.sent_bytes) == (1, 6 + len(picture))


def test_it_knows_whether_anybody_listens(publisher: RawPublisher, subscriber: zmq.Socket[bytes]) -> None:
    assert not publisher.is_wanted
    subscriber.setsockopt(zmq.SUBSCRIBE, b"image")
    subscriber.setsockopt(zmq.SUBSCRIBE, b"other")
    wait_until(lambda: publisher.is_wanted)
    subscriber.close()
    wait_until(lambda: not publisher.is_wanted)


def test_sending_to_nobody_and_to_one_who_does_not_read_never_waits(
    publisher: RawPublisher, subscriber: zmq.Socket[bytes]
) -> None:
    assert publisher.send([b"nobody"])
    subscriber.setsockopt(zmq.RCVHWM, 1)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    wait_until(lambda: publisher.is_wanted)
    picture = bytes(4_000_000)
    for _ in range(10 * FRAMES_OUT.depth):
        publisher.send([picture])
    assert publisher.counters.sent == 1 + 10 * FRAMES_OUT.depth


def test_an_address_that_is_taken_or_open_to_all_is_refused(publisher: RawPublisher) -> None:
    with pytest.raises(AddressInUse), RawPublisher(publisher.endpoint):
        pass
    with pytest.raises(ExposedAddress), RawPublisher("tcp://*:0"):
        pass


def test_it_must_be_open(publisher: RawPublisher) -> None:
    publisher.close()
    publisher.close()
    with pytest.raises(RuntimeError, match="not open"):
        publisher.send([b"late"])
