import pytest

from zbus.errors import WireError
from zbus.wire import (
    NO_RING,
    Frame,
    FrameNotice,
    Origin,
    RingReference,
    Topic,
    decode_body,
    decode_message,
    encode_message,
)

WHERE = RingReference("zbus.cam1.00112233445566ff.ring", 5, 3, 8)
FRAME = Frame("cam1", 1, 2, 3, 4, 2, "mono8", bytes(8), stride_bytes=4, thinned=2, relayed_mono_ns=9)


def read(notice: FrameNotice, topic: str = "ring"):
    parts = encode_message(Topic("frame", "cam1", topic), Origin("n", "s", 1, 2), notice)
    assert len(parts) == 2
    return decode_body(decode_message(parts))


@pytest.mark.parametrize("where", [WHERE, NO_RING])
def test_a_frame_goes_through_a_notice_whole(where):
    notice = read(FrameNotice(FRAME.header(), where))
    assert isinstance(notice, FrameNotice)
    assert (notice.reference, notice.nbytes) == (where, 8)
    assert notice.frame(bytes(8)) == FRAME


def test_a_frame_of_a_notice_can_tell_whether_it_still_holds():
    holds = [True, False]
    frame = FrameNotice(FRAME.header(), WHERE).frame(bytes(8), lambda: holds.pop(0))
    assert [frame.valid(), frame.valid()] == [True, False]
    assert frame == FRAME
    assert FRAME.valid()


def test_pixels_of_another_size_are_refused():
    with pytest.raises(WireError, match="size_mismatch"):
        FrameNotice(FRAME.header(), WHERE).frame(bytes(9))


def test_a_notice_on_the_inline_topic_is_a_frame_without_pixels():
    with pytest.raises(WireError, match="wrong_part_count"):
        read(FrameNotice(FRAME.header(), WHERE), "")
