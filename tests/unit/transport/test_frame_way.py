import pytest

from zbus.errors import WireError
from zbus.transport import RingPlan, RingReader
from zbus.transport import _frame_way as frame_way_module
from zbus.transport import _ring_file as ring_file_module
from zbus.transport._frame_way import FrameWay
from zbus.transport._interest import Interest
from zbus.transport._ring_outlet import RingOutlet
from zbus.wire import NO_RING, Frame, FrameNotice, Origin, decode_body, decode_message

from .messages import CAM, frame

ORIGIN = Origin("cam1", "s1", 3, 5)
RING, BELL, INLINE = b"frame.ring/cam1/", b"frame.bell/cam1/", b"frame/cam1/"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_file_module, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr("zbus.transport._shmring.SHARED_MEMORY", tmp_path)


@pytest.fixture
def outlet():
    outlet = RingOutlet("cam1", RingPlan(seconds=0.1))
    yield outlet
    outlet.close()


@pytest.fixture
def interest():
    return Interest()


def bodies(messages):
    read = [decode_message(parts) for parts in messages]
    assert all(message.origin == ORIGIN for message in read)
    return [decode_body(message) for message in read]


def test_it_makes_what_is_wanted_at_the_moment(outlet, interest):
    way = FrameWay(CAM, outlet)
    assert way.encode(interest, ORIGIN, frame(0)) == []
    for notice, kinds in (
        (b"\x01" + RING, [FrameNotice]),
        (b"\x01" + INLINE, [FrameNotice, Frame]),
        (b"\x00" + RING, [Frame]),
        (b"\x00" + INLINE, []),
        (b"\x01", [Frame]),
    ):
        interest._take(notice)
        assert [type(body) for body in bodies(way.encode(interest, ORIGIN, frame(0)))] == kinds


def test_a_frame_nobody_wants_must_be_right_all_the_same(outlet, interest):
    bad = Frame("cam1", 0, 0, 0, 10, 10, "mono8", b"short", stride_bytes=10)
    with pytest.raises(WireError):
        FrameWay(CAM, outlet).encode(interest, ORIGIN, bad)


def test_without_a_ring_pixels_always_go_and_notices_tell_now_and_then(interest, monkeypatch):
    way = FrameWay(CAM, None)
    interest._take(b"\x01" + RING)
    first, second = (bodies(way.encode(interest, ORIGIN, frame(0))) for _ in range(2))
    assert [type(body) for body in first] == [FrameNotice, Frame]
    assert first[0].reference == NO_RING
    assert [type(body) for body in second] == [Frame]
    monkeypatch.setattr(frame_way_module, "RINGLESS_PERIOD_S", 0.0)
    way._due_s = 0.0
    for _ in range(2):
        assert len(way.encode(interest, ORIGIN, frame(0))) == 2


def test_a_loaned_picture_is_copied_for_the_socket(outlet, interest):
    way = FrameWay(CAM, outlet)
    interest._take(b"\x01" + INLINE)
    image = outlet.loan((2, 2), "uint8")
    image[:] = 1
    lent = Frame("cam1", 0, 0, 0, 2, 2, "mono8", image.reshape(-1).data, stride_bytes=2)
    ((_, _, pixels),) = way.encode(interest, ORIGIN, lent)
    image[:] = 2
    assert bytes(pixels) == b"\x01" * 4
    own = frame(0)
    assert way.encode(interest, ORIGIN, own)[0][2] is own.data


def shown_by(messages):
    return [message[0] for message in messages]


def test_the_board_has_every_notice_and_messages_are_signs_of_life(outlet, interest, folder):
    way = FrameWay(CAM, outlet)
    interest._take(b"\x01" + BELL)
    ((name, first),) = way.encode(interest, ORIGIN, frame(0))
    assert name == BELL
    where = decode_body(decode_message([name, first])).reference
    board = RingReader(where.ring, where.generation).board
    assert board.find(first)
    assert way.encode(interest, ORIGIN, frame(1)) == []
    assert decode_message([BELL, board.read()]).header["frame_number"] == 1
    interest._take(b"\x01" + RING)
    assert shown_by(way.encode(interest, ORIGIN, frame(2))) == [RING]
    way._life_due_s = 0.0
    assert shown_by(way.encode(interest, ORIGIN, frame(3))) == [BELL, RING]
    way._told_ring = "another"
    assert shown_by(way.encode(interest, ORIGIN, frame(4))) == [BELL, RING]
    numbers = [decode_message([BELL, each]).header["frame_number"] for each in iter(board.read, None)]
    assert numbers == [2, 3, 4]


def test_a_notice_without_a_place_on_the_board_goes_by_message_each_time(outlet, interest, monkeypatch):
    monkeypatch.setattr("zbus.transport._ring_file.has_bell", lambda: False)
    way = FrameWay(CAM, outlet)
    interest._take(b"\x01" + BELL)
    for _ in range(3):
        assert shown_by(way.encode(interest, ORIGIN, frame(0))) == [BELL]


def test_without_a_ring_who_waits_at_the_bell_is_told_now_and_then(interest):
    way = FrameWay(CAM, None)
    interest._take(b"\x01" + BELL)
    assert shown_by(way.encode(interest, ORIGIN, frame(0))) == [BELL, INLINE]
    assert shown_by(way.encode(interest, ORIGIN, frame(0))) == [INLINE]
