import pytest

from zbus.errors import WireError
from zbus.wire import (
    FRAME_MAX_BYTES,
    RING_HEADER_BYTES,
    RingHeader,
    check_ring_name,
    decode_ring_header,
    encode_ring_header,
    ring_name,
    slot_stride,
)

HEADER = RingHeader(5, 4, slot_stride(100), 100, 1, 2)


def test_a_header_is_read_as_it_was_written():
    data = encode_ring_header(HEADER)
    assert len(data) == RING_HEADER_BYTES
    assert decode_ring_header(data, HEADER.file_bytes) == HEADER


@pytest.mark.parametrize(("payload", "stride"), [(1, 128), (64, 128), (65, 192), (640 * 480, 64 + 640 * 480)])
def test_slots_begin_in_steps_of_64(payload, stride):
    assert slot_stride(payload) == stride


def test_the_largest_frame_has_a_ring():
    header = RingHeader(1, 4, slot_stride(FRAME_MAX_BYTES), FRAME_MAX_BYTES, 1, 2)
    assert decode_ring_header(encode_ring_header(header), header.file_bytes) == header


def test_a_file_that_is_too_large_to_map_is_refused():
    header = RingHeader(1, 4096, slot_stride(FRAME_MAX_BYTES), FRAME_MAX_BYTES, 1, 2)
    with pytest.raises(WireError, match="size_mismatch"):
        decode_ring_header(encode_ring_header(header), header.file_bytes)


def test_names():
    name = ring_name("cam-1.left", "00112233445566ff")
    assert check_ring_name(name) == name == "zbus.cam-1.left.00112233445566ff.ring"
    for camera, random_hex in (("../x", "0" * 16), ("", "0" * 16), ("cam1", "0" * 15), ("cam1", "G" * 16)):
        with pytest.raises(WireError, match="bad_ring_name"):
            ring_name(camera, random_hex)
