"""Frames: views without a copy, whatever the stride, and sizes that must agree."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zbus.errors import WireError
from zbus.wire import (
    PIXEL_FORMATS,
    Frame,
    Origin,
    Topic,
    decode_frame,
    decode_message,
    encode_message,
    frame_of_image,
)

ORIGIN = Origin("cam1", "s1", 0, 0)
TIMES = {"frame_number": 7, "captured_ns": 2**62, "mono_ns": 2**61}


def frame_of(image, name, **keys):
    return frame_of_image(image, name, camera="cam1", **TIMES, **keys)


def travel(frame):
    return decode_frame(decode_message(encode_message(Topic("frame", "cam1"), ORIGIN, frame)))


def raw(width, height, name="mono8", *, stride_bytes=0, data=None, **keys):
    stride_bytes = stride_bytes or width * PIXEL_FORMATS[name].pixel_bytes
    data = bytes(range(256))[: stride_bytes * height] if data is None else data
    fields = {"camera": "cam1", **TIMES, "pixel_format": name, "data": data, "stride_bytes": stride_bytes}
    return Frame(width=width, height=height, **fields | keys)


@given(st.data(), st.sampled_from(sorted(PIXEL_FORMATS)), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=150)
def test_an_image_comes_back(data, name, width, height):
    pixels = PIXEL_FORMATS[name]
    shape = (height, width) if pixels.channels == 1 else (height, width, pixels.channels)
    image = data.draw(hnp.arrays(pixels.dtype, shape))
    frame = travel(frame_of(image, name, device_ns=3))
    assert np.array_equal(frame.image, image)
    assert frame.image.dtype == pixels.dtype
    assert (frame.width, frame.height, frame.device_ns) == (width, height, 3)


def test_the_image_is_a_read_only_view_of_the_payload():
    data = bytearray(range(8))
    image = travel(raw(4, 2, data=data)).image
    data[0] = 99
    assert image[0, 0] == 99
    assert not image.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 1


@pytest.mark.parametrize("name", ["mono8", "mono16", "bgr8", "rgba8"])
@pytest.mark.parametrize("padding", [1, 3, 8])
def test_bytes_behind_a_row_are_not_seen(name, padding):
    pixels, width, height = PIXEL_FORMATS[name], 3, 2
    row = width * pixels.pixel_bytes
    rows = np.arange(row * height, dtype=np.uint8).reshape(height, row)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    image = travel(raw(width, height, name, stride_bytes=row + padding, data=padded.tobytes())).image
    assert image.tobytes() == rows.tobytes()
    assert image.shape == ((height, width) if pixels.channels == 1 else (height, width, pixels.channels))
    assert image.base is not None, "no copy was made"


def test_an_array_in_order_is_not_copied():
    image = np.zeros((4, 5), np.uint8)
    frame = frame_of(image, "mono8")
    image[0, 0] = 7
    assert frame.image[0, 0] == 7


def test_a_cut_out_of_an_array_is_put_in_order():
    whole = np.arange(100, dtype=np.uint8).reshape(10, 10)
    cut = whole[2:5, 3:7]
    assert np.array_equal(frame_of(cut, "mono8").image, cut)
    assert np.array_equal(frame_of(whole[::-1, ::-1], "mono8").image, whole[::-1, ::-1])


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (np.zeros((2, 2), np.uint16), "mono8"),
        (np.zeros((2, 2), np.uint8), "mono16"),
        (np.zeros((2, 2), ">u2"), "mono16"),
        (np.zeros((2, 2), np.uint8), "bgr8"),
        (np.zeros((2, 2, 4), np.uint8), "bgr8"),
        (np.zeros(4, np.uint8), "mono8"),
        (np.zeros((2, 2, 2, 1), np.uint8), "mono8"),
    ],
)
def test_an_array_that_is_not_of_the_format_is_refused(image, name):
    with pytest.raises(WireError, match="wrong_type"):
        frame_of(image, name)


def test_a_view_of_wider_numbers_counts_its_bytes():
    data = np.arange(4, dtype="<u2").data
    frame = raw(2, 2, "mono16", data=data)
    assert frame.nbytes == 8
    assert frame.image.tolist() == [[0, 1], [2, 3]]
    assert encode_message(Topic("frame", "cam1"), ORIGIN, frame)[2] is data


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height": 3}, "size_mismatch"),
        ({"width": 5}, "size_mismatch"),
        ({"stride_bytes": 0}, "size_mismatch"),
        ({"codec": "jpeg"}, "size_mismatch"),
        ({"width": 0}, "out_of_range"),
        ({"height": -1}, "out_of_range"),
        ({"width": 16_385}, "out_of_range"),
        ({"data": b""}, "out_of_range"),
        ({"codec": "h265"}, "unknown_codec"),
        ({"pixel_format": "mono12"}, "unknown_pixel_format"),
    ],
)
def test_a_frame_that_contradicts_itself_is_not_sent(changes, reason):
    with pytest.raises(WireError) as caught:
        replace(raw(4, 2), **changes).header()
    assert caught.value.reason == reason


def test_a_compressed_picture_has_bytes_and_no_image():
    frame = travel(Frame("cam1", 7, 1, 1, 4, 2, "bgr8", b"\xff\xd8", codec="jpeg"))
    assert bytes(frame.data) == b"\xff\xd8"
    with pytest.raises(WireError, match="not_raw"):
        _ = frame.image


def test_the_pixels_do_not_flood_a_log():
    assert len(repr(raw(16, 16))) < 400


@given(
    st.dictionaries(
        st.sampled_from(["width", "height", "stride_bytes", "nbytes"]), st.integers(-(2**63), 2**63 - 1)
    )
)
@settings(max_examples=200)
def test_claims_about_sizes_are_checked_before_they_are_used(claims):
    parts = encode_message(Topic("frame", "cam1"), ORIGIN, raw(4, 2))
    message = decode_message(parts)
    message = replace(message, header={**message.header, **claims})
    try:
        frame = decode_frame(message)
    except WireError:
        return
    assert frame.image.shape == (frame.height, frame.width)
