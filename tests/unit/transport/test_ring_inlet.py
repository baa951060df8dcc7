import pytest

from zbus.errors import WireError
from zbus.transport import RingWriter
from zbus.transport import _ring_file as ring_file_module
from zbus.transport import _ring_inlet as inlet_module
from zbus.transport._ring_inlet import RingInlet, cameras_by_ring
from zbus.wire import FrameNotice, Message, Origin, RingReference, Topic, decode_message, encode_message

from .messages import CAM, frame

NOTICES = Topic("frame", "cam1", "ring")
RING, INLINE = NOTICES.encode(), CAM.encode()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_file_module, "SHARED_MEMORY", tmp_path)
    return tmp_path


@pytest.fixture
def ring(folder):
    with RingWriter("cam1", 4, 64 * 48, folder) as ring:
        yield ring


class Subscriptions:
    """What an inlet is subscribed to, and all that it ever asked for."""

    def __init__(self) -> None:
        self.now: set[bytes] = set()
        self.asked: list[tuple[bytes, bool]] = []

    def __call__(self, prefix: bytes, is_on: bool) -> None:
        self.asked.append((prefix, is_on))
        (self.now.add if is_on else self.now.remove)(prefix)


@pytest.fixture
def subscriptions():
    return Subscriptions()


def open_inlet(subscriptions, *, is_view: bool) -> RingInlet:
    inlet = RingInlet(CAM, subscriptions, is_view=is_view)
    inlet.open()
    return inlet


@pytest.fixture(params=[True, False], ids=["view", "copy"])
def inlet(subscriptions, request):
    return open_inlet(subscriptions, is_view=request.param)


def inline(seq: int, session: str = "s1") -> Message:
    return decode_message(encode_message(CAM, Origin("cam1", session, seq, 0), frame(seq)))


def notice(seq: int, where: RingReference, session: str = "s1") -> Message:
    body = FrameNotice(frame(seq).header(), where)
    return decode_message(encode_message(NOTICES, Origin("cam1", session, seq, 0), body))


def nowhere(number: int) -> RingReference:
    return RingReference(f"zbus.cam1.{number:016x}.ring", 7, 0, 2)


def test_both_ways_are_open_until_one_is_known_to_work(inlet, subscriptions, ring):
    assert subscriptions.asked == [(RING, True), (INLINE, True)]
    message = inline(0)
    assert inlet.take(message) == (message, None)
    assert subscriptions.now == {RING, INLINE}
    taken = inlet.take(notice(1, ring.copy_in(frame(1).data)))
    assert taken is not None
    assert subscriptions.now == {RING}
    message, pixels = taken
    assert (message.topic, message.origin.seq) == (CAM, 1)
    assert pixels.read() == frame(1)
    assert pixels.nbytes == 64 * 48


def test_a_ring_that_is_not_here_ends_that_way(inlet, subscriptions):
    """The camera is on another machine, behind a tunnel, or in another container."""
    assert inlet.take(notice(0, nowhere(1))) is None
    assert subscriptions.now == {INLINE}
    assert inlet.take(notice(1, nowhere(1))) is None
    assert inlet.take(inline(2)) is not None
    assert subscriptions.now == {INLINE}


def test_a_camera_that_has_no_ring_at_the_moment(inlet, subscriptions, ring):
    inlet.take(notice(0, ring.copy_in(frame(0).data)))
    assert inlet.take(notice(1, RingReference())) is None
    assert subscriptions.now == {INLINE}


def test_after_a_restart_the_ring_is_tried_again(inlet, subscriptions, ring):
    inlet.take(notice(0, nowhere(1)))
    inlet.take(inline(0, "s2"))
    assert subscriptions.now == {RING, INLINE}
    assert inlet.take(notice(1, ring.copy_in(frame(1).data), "s2")) is not None
    assert subscriptions.now == {RING}


def test_after_a_while_too(inlet, subscriptions, monkeypatch):
    monkeypatch.setattr(inlet_module, "RETRY_S", -1.0)
    inlet.take(notice(0, nowhere(1)))
    inlet.take(inline(0))
    assert subscriptions.now == {RING, INLINE}
    inlet.take(notice(1, nowhere(1)))
    assert subscriptions.now == {INLINE}


def test_a_new_ring_of_the_camera_takes_the_place_of_the_old_one(inlet, subscriptions, ring, folder):
    _, old = inlet.take(notice(0, ring.copy_in(frame(0).data)))
    ring.close()
    with RingWriter("cam1", 4, 64 * 48, folder) as second:
        _, new = inlet.take(notice(1, second.copy_in(frame(1).data)))
        assert (old.read(), new.read()) == (frame(0), frame(1))
        assert subscriptions.now == {RING}


def test_what_was_written_over_is_no_frame(inlet, ring):
    _, pixels = inlet.take(notice(0, ring.copy_in(frame(0).data)))
    for number in range(4):
        ring.copy_in(frame(number).data)
    assert pixels.read() is None


def test_a_view_can_be_asked_and_a_copy_need_not(subscriptions, ring):
    views, copies = (open_inlet(Subscriptions(), is_view=is_view) for is_view in (True, False))
    where = ring.copy_in(frame(0).data)
    view, copy = (each.take(notice(0, where))[1].read() for each in (views, copies))
    assert view.valid() and copy.valid()
    for number in range(4):
        ring.copy_in(frame(number + 1).data)
    assert not view.valid()
    assert copy.valid()
    assert copy == frame(0) != view


def test_a_copy_that_was_kept_is_the_frame_whatever_comes(subscriptions, ring):
    inlet = open_inlet(subscriptions, is_view=False)
    _, pixels = inlet.take(notice(0, ring.copy_in(frame(0).data)))
    assert pixels.keep()
    for number in range(8):
        ring.copy_in(frame(number).data)
    assert pixels.read() == frame(0)


def test_what_cannot_lie_in_the_ring_is_refused(inlet, ring):
    where = ring.copy_in(frame(0).data)
    far = RingReference(where.ring, where.generation, 4, 2)
    _, pixels = inlet.take(notice(0, far))
    with pytest.raises(WireError, match="size_mismatch"):
        pixels.read()


@pytest.mark.parametrize(
    ("topics", "cameras"),
    [
        (["frame/cam1/"], ["cam1"]),
        (["frame/cam1/", "frame/cam2/", "tracks/"], ["cam1", "cam2"]),
        (["frame/"], []),
        (["frame/cam1"], []),
        ([""], []),
        (["frame/cam1/", "frame/"], []),
        (["frame/cam1/", ""], []),
        (["frame/cam1/", "frame.ring/cam1/"], []),
        (["frame/cam1/", "frame.ring/cam2/"], ["cam1"]),
        (["frame.jpeg/cam1/", "tracks/cam1/", "ä/"], []),
    ],
)
def test_which_prefixes_are_one_cameras_frames(topics, cameras):
    assert [topic.source for topic in cameras_by_ring(topics)] == cameras
