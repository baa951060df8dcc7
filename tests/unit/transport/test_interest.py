from collections.abc import Iterator

import pytest
import zmq

from zbus.transport import SMALL_OUT, make_socket
from zbus.transport import _interest as interest_module
from zbus.transport._interest import Interest
from zbus.wire import Topic

CAM, JPEG = Topic("frame", "cam1"), Topic("frame", "cam1", "jpeg")


class Socket:
    """An XPUB as far as Interest looks at it."""

    def __init__(self, *notices: list[bytes]) -> None:
        self.notices = list(notices)

    def getsockopt(self, option: int) -> int:
        return zmq.POLLIN if self.notices else 0

    def recv_multipart(self, flags: int) -> list[bytes]:
        return self.notices.pop(0)


def told(*notices: bytes) -> Interest:
    interest = Interest()
    interest.read(Socket(*([notice] for notice in notices)))  # type: ignore[arg-type]
    return interest


def test_what_is_subscribed_is_wanted_until_it_is_given_back():
    assert not told().covers(CAM)
    assert told(b"\1frame/").covers(CAM)
    assert told(b"\1").covers(CAM)
    assert not told(b"\1frame/cam1/", b"\0frame/cam1/").covers(CAM)
    assert not told(b"\1frame/cam2/").covers(CAM)


@pytest.mark.parametrize(
    ("prefix", "named"),
    [
        (b"frame.jpeg/cam1/", True),
        (b"frame.jpeg/", True),
        (b"frame.jpeg/cam2/", False),
        (b"frame", False),
        (b"frame/", False),
        (b"", False),
    ],
)
def test_a_rendition_is_wanted_only_by_its_name(prefix: bytes, named: bool):
    assert told(b"\1" + prefix).names_rendition(JPEG) is named


@pytest.mark.parametrize("parts", [[b"x", b"\1frame/"], [b""], [b"\2frame/"], [b"hello"]])
def test_what_is_no_subscription_means_nothing(parts: list[bytes]):
    interest = Interest()
    interest.read(Socket(parts))  # type: ignore[arg-type]
    assert not interest.covers(CAM)


def test_beyond_the_bound_everything_is_wanted_until_the_surplus_is_gone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(interest_module, "SUBSCRIPTIONS_MAX", 2)
    notices = [b"\1a/", b"\1b/", b"\1frame/cam1/"]
    assert told(*notices).covers(CAM)
    assert told(*notices, b"\0a/").covers(CAM)
    assert not told(*notices, b"\0frame/cam1/").covers(CAM)
    assert told(*notices, b"\0a/", b"\0b/").covers(CAM)


def test_withdrawing_what_was_never_subscribed_takes_nothing_from_others():
    assert told(b"\1a/", b"\0b/", b"\0c/", b"\0d/").is_any
    assert not told(b"\0b/").is_any


def test_a_flood_is_read_in_turns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(interest_module, "NOTICES_MAX", 3)
    socket = Socket(*([b"\1%d/" % each] for each in range(10)))
    Interest().read(socket)  # type: ignore[arg-type]
    assert len(socket.notices) == 7


@pytest.fixture
def publisher() -> Iterator[zmq.Socket[bytes]]:
    with make_socket(zmq.XPUB, SMALL_OUT) as socket:
        socket.bind("tcp://127.0.0.1:0")
        yield socket


def test_a_real_socket_tells_the_same(publisher: zmq.Socket[bytes]):
    interest = Interest()
    with make_socket(zmq.SUB, SMALL_OUT) as subscriber:
        subscriber.setsockopt(zmq.SUBSCRIBE, b"frame/")
        place = publisher.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(place, bytes)
        subscriber.connect(place.rstrip(b"\0").decode())
        assert publisher.poll(10_000)
        interest.read(publisher)
        assert interest.covers(CAM)
    assert publisher.poll(10_000)
    interest.read(publisher)
    assert not interest.covers(CAM)
