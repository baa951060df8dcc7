from dataclasses import replace

import msgpack
import pytest

from zbus.errors import WireError
from zbus.wire import (
    Frame,
    FrameNotice,
    NoticeReader,
    NoticeWriter,
    Origin,
    RingReference,
    decode_message,
    decode_notice,
    encode_message,
)
from zbus.wire._topics import Topic

TOPIC = Topic("frame", "cam1", "ring")
WHERE = RingReference("zbus.cam1.00112233445566ff.ring", 5, 3, 8)
FRAME = Frame("cam1", 1, 2, 3, 4, 2, "mono8", bytes(8), stride_bytes=4)
ORIGIN = Origin("node1", "s1", 7, 9)
LARGEST = 2**63 - 1


def notice_of(data: bytes) -> FrameNotice:
    return decode_notice(decode_message([TOPIC.encode(), data]))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        replace(FRAME, device_ns=0),
        replace(FRAME, thinned=3, relayed_mono_ns=8, device_ns=LARGEST),
        replace(FRAME, frame_number=LARGEST, captured_ns=LARGEST, mono_ns=LARGEST),
        replace(FRAME, camera="C" * 64, clock="ptp"),
    ],
)
def test_it_is_the_same_map_as_any_writer_would_make(frame):
    ours = NoticeWriter().encode(ORIGIN, frame, WHERE)
    plain = encode_message(TOPIC, ORIGIN, FrameNotice(frame.header(), WHERE))[1]
    assert msgpack.unpackb(ours) == msgpack.unpackb(plain)
    assert notice_of(ours).frame(frame.data) == frame


def test_what_changes_is_written_anew():
    writer = NoticeWriter()
    for frame, where in (
        (FRAME, WHERE),
        (replace(FRAME, frame_number=2), replace(WHERE, slot=1, lock=10)),
        (replace(FRAME, width=3), WHERE),
        (FRAME, replace(WHERE, generation=6)),
        (replace(FRAME, device_ns=4), WHERE),
        (FRAME, RingReference()),
    ):
        notice = notice_of(writer.encode(ORIGIN, frame, where))
        assert (notice.frame(bytes(8)), notice.reference) == (frame, where)


@pytest.mark.parametrize(
    "changes", [{"width": 5}, {"frame_number": "1"}, {"captured_ns": 2**63}, {"mono_ns": 1.5}]
)
def test_a_frame_that_breaks_the_spec_is_not_written(changes):
    writer = NoticeWriter()
    writer.encode(ORIGIN, FRAME, WHERE)
    with pytest.raises(WireError):
        writer.encode(ORIGIN, replace(FRAME, **changes), WHERE)


def taught(frame: Frame = FRAME) -> NoticeReader:
    reader = NoticeReader()
    data = NoticeWriter().encode(ORIGIN, frame, WHERE)
    notice = notice_of(data)
    reader.learn(data, notice.keys, notice.frame(frame.data))
    return reader


def test_what_begins_as_the_last_one_did_is_read_at_one_glance():
    reader, writer = taught(), NoticeWriter()
    for number in range(5):
        frame, where = replace(FRAME, frame_number=number), replace(WHERE, slot=number, lock=2 * number + 2)
        data = writer.encode(replace(ORIGIN, seq=number), frame, where)
        assert reader.decode(data) == notice_of(data).keys


def test_it_knows_nothing_before_it_learned():
    assert NoticeReader().decode(NoticeWriter().encode(ORIGIN, FRAME, WHERE)) is None


@pytest.mark.parametrize(
    "changes",
    [{"width": 3}, {"camera": "cam2"}, {"clock": "ptp"}, {"device_ns": 1}, {"thinned": 1}],
)
def test_what_begins_otherwise_is_left_to_others(changes):
    assert taught().decode(NoticeWriter().encode(ORIGIN, replace(FRAME, **changes), WHERE)) is None


@pytest.mark.parametrize(
    "where",
    [replace(WHERE, slot=4096), replace(WHERE, lock=9), replace(WHERE, lock=0), replace(WHERE, slot=-1)],
)
def test_what_is_not_right_is_left_to_others_who_refuse_it(where):
    data = NoticeWriter().encode(ORIGIN, FRAME, where)
    assert taught().decode(data) is None
    with pytest.raises(WireError):
        notice_of(data)


def test_a_negative_number_is_left_to_others():
    data = NoticeWriter().encode(replace(ORIGIN, seq=-1), FRAME, WHERE)
    assert taught().decode(data) is None


def test_another_writers_form_is_not_learned():
    """A map is a map in any order; only one form is read at a glance."""
    data = msgpack.packb(notice_of(NoticeWriter().encode(ORIGIN, FRAME, WHERE)).keys)
    notice, reader = notice_of(data), NoticeReader()
    reader.learn(data, notice.keys, notice.frame(FRAME.data))
    assert reader.decode(data) is None


def test_a_key_that_only_looks_like_the_place_is_not_learned():
    keys = dict(notice_of(NoticeWriter().encode(ORIGIN, FRAME, WHERE)).keys)
    data = msgpack.packb({"x": b"\xa3seq\xd3" + bytes(100), **keys})
    notice, reader = notice_of(data), NoticeReader()
    reader.learn(data, notice.keys, notice.frame(FRAME.data))
    assert reader.decode(data) is None


def test_every_byte_that_is_changed_is_seen_or_read_as_others_read_it():
    reader = taught()
    data = NoticeWriter().encode(ORIGIN, FRAME, WHERE)
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 0x11]) + data[place + 1 :]
        keys = reader.decode(changed)
        if keys is not None:
            assert notice_of(changed).keys == keys
