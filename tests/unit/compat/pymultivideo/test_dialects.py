import json
from base64 import b64decode
from typing import Any

import cv2
import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zbus.compat.pymultivideo import FrontEndSettings
from zbus.compat.pymultivideo._dialects import encode_picture, one_byte_pixels, to_rggb_mosaic
from zbus.wire import PIXEL_FORMATS, Frame, frame_of_image, pixel_format

CAPTURED_NS = 1_700_000_000_123_456_789


def frame_of(image: NDArray[Any], name: str = "mono8", device_ns: int | None = None) -> Frame:
    return frame_of_image(
        image,
        name,
        camera="cam1",
        frame_number=7,
        captured_ns=CAPTURED_NS,
        mono_ns=1,
        device_ns=device_ns,
    )


def random_image(name: str, height: int = 6, width: int = 8) -> NDArray[Any]:
    pixels = pixel_format(name)
    shape = (height, width) if pixels.channels == 1 else (height, width, pixels.channels)
    return np.random.default_rng(1).integers(0, np.iinfo(pixels.dtype).max, shape, pixels.dtype)


@given(st.integers(1, 20), st.integers(1, 20))
def test_json_has_the_five_keys_and_the_pixels_row_by_row(height: int, width: int) -> None:
    image = random_image("mono8", height, width)
    (data,) = encode_picture(frame_of(image), FrontEndSettings("cam1"))
    message = json.loads(bytes(data))
    assert set(message) == {"unique_id", "timestamp", "image", "height", "width"}
    assert (message["unique_id"], message["timestamp"]) == ("cam1-zbus", CAPTURED_NS)
    assert type(message["timestamp"]) is int
    pixels = np.frombuffer(b64decode(message["image"]), np.uint8)
    assert np.array_equal(pixels.reshape(message["height"], message["width"]), image)


def test_any_unique_id_is_still_json() -> None:
    settings = FrontEndSettings("cam1", unique_id='"\\ü\n')
    (data,) = encode_picture(frame_of(random_image("mono8")), settings)
    assert json.loads(bytes(data))["unique_id"] == '"\\ü\n'


def test_msgpack_has_three_parts_and_does_not_copy() -> None:
    image = random_image("mono8")
    parts = encode_picture(frame_of(image), FrontEndSettings("cam1", dialect="msgpack"))
    assert len(parts) == 3
    assert parts[0] == b"image"
    facts = msgpack.unpackb(parts[1])
    assert facts == {"unique_id": "cam1-zbus", "timestamp": CAPTURED_NS, "height": 6, "width": 8}
    assert bytes(parts[2]) == image.tobytes()
    assert np.shares_memory(np.frombuffer(parts[2], np.uint8), image)


def test_the_timestamp_is_the_cameras_clock_where_it_has_one() -> None:
    (data,) = encode_picture(frame_of(random_image("mono8"), device_ns=42), FrontEndSettings("cam1"))
    assert json.loads(bytes(data))["timestamp"] == 42


@pytest.mark.parametrize(
    ("name", "color", "sent"),
    [("mono16", "mosaic", "mono8"), ("bgr8", "mosaic", "bayer_rggb8"), ("bgr8", "mono", "mono8")],
)
def test_extended_messages_say_what_the_original_left_open(name: str, color: Any, sent: str) -> None:
    settings = FrontEndSettings("cam1", extended=True, color=color)
    (data,) = encode_picture(frame_of(random_image(name), name), settings)
    message = json.loads(bytes(data))
    assert message["frame_number"] == 7
    assert message["captured_us"] == CAPTURED_NS // 1000
    assert message["pixel_format"] == sent


@pytest.mark.parametrize("color", ["mosaic", "mono"])
@pytest.mark.parametrize("name", sorted(PIXEL_FORMATS))
def test_every_format_becomes_one_byte_a_pixel(name: str, color: str) -> None:
    pixels = one_byte_pixels(frame_of(random_image(name, 7, 9), name), color)
    assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == ((7, 9), np.uint8, True)


def test_the_mosaic_is_red_green_over_green_blue() -> None:
    bgr = np.dstack([np.full((3, 4), value, np.uint8) for value in (10, 20, 30)])
    assert to_rggb_mosaic(bgr).tolist() == [[30, 20, 30, 20], [20, 10, 20, 10], [30, 20, 30, 20]]


def test_a_client_that_demosaics_sees_the_colors() -> None:
    bgr = np.dstack([np.full((16, 16), value, np.uint8) for value in (10, 120, 240)])
    mosaic = one_byte_pixels(frame_of(bgr, "bgr8"), "mosaic")
    assert np.array_equal(cv2.cvtColor(mosaic, cv2.COLOR_BayerRGGB2BGR), bgr)
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    assert np.array_equal(one_byte_pixels(frame_of(rgb, "rgb8"), "mosaic"), mosaic)


def test_a_mosaic_of_the_right_order_stays_as_it_is() -> None:
    mosaic = random_image("bayer_rggb8")
    assert np.shares_memory(one_byte_pixels(frame_of(mosaic, "bayer_rggb8"), "mosaic"), mosaic)
    deep = random_image("bayer_rggb16")
    assert np.array_equal(one_byte_pixels(frame_of(deep, "bayer_rggb16"), "mosaic"), deep >> 8)


def test_rows_with_padding_are_closed_up() -> None:
    padded = np.arange(24, dtype=np.uint8)
    frame = Frame("cam1", 0, 1, 1, 5, 3, "mono8", padded.data, stride_bytes=8)
    (data,) = encode_picture(frame, FrontEndSettings("cam1"))
    assert b64decode(json.loads(bytes(data))["image"]) == padded.reshape(3, 8)[:, :5].tobytes()
