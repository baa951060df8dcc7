from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from zbus.errors import WireError
from zbus.nodes import encode_jpeg, to_mono_or_bgr
from zbus.nodes._pictures import picture_of
from zbus.wire import JPEG, Frame, frame_of_image

RED_BGR = np.array([0, 0, 255], np.uint8)


@pytest.mark.parametrize(
    ("pixel_format", "pixel"),
    [("rgb8", [255, 0, 0]), ("rgba8", [255, 0, 0, 9]), ("bgra8", [0, 0, 255, 9]), ("bgr8", [0, 0, 255])],
)
def test_red_stays_red(pixel_format: str, pixel: list[int]) -> None:
    image = np.tile(np.array(pixel, np.uint8), (4, 6, 1))
    assert (to_mono_or_bgr(image, pixel_format) == RED_BGR).all()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_red_scene_through_every_mosaic(order: str, bits: int) -> None:
    image = np.zeros((16, 16), np.uint8 if bits == 8 else np.uint16)
    row, column = divmod(order.index("r"), 2)
    image[row::2, column::2] = 255 if bits == 8 else 65_535
    picture = to_mono_or_bgr(image, f"bayer_{order}{bits}")
    assert (picture[4:-4, 4:-4] == RED_BGR).all()


def test_mono_is_the_same_array_and_16_bits_keep_the_upper_8() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert to_mono_or_bgr(image, "mono8") is image
    assert (to_mono_or_bgr(image.astype(np.uint16) << 8, "mono16") == image).all()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(WireError) as caught:
        to_mono_or_bgr(np.zeros((2, 2), np.uint8), "yuv422")
    assert caught.value.reason == "unknown_pixel_format"


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 3)])
def test_a_jpeg_shows_the_picture(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 90, np.uint8)
    data = encode_jpeg(image, 90)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.shape == shape
    assert np.abs(back.astype(int) - image).max() < 4


def jpeg_frame(picture: np.ndarray, pixel_format: str) -> Frame:
    raw = frame_of_image(picture, pixel_format, camera="cam1", frame_number=1, captured_ns=1, mono_ns=1)
    return replace(raw, codec=JPEG, stride_bytes=0, data=encode_jpeg(picture, 95))


@pytest.mark.parametrize(("shape", "pixel_format"), [((8, 16), "mono8"), ((8, 16, 3), "bgr8")])
def test_a_jpeg_is_a_picture_again(shape: tuple[int, ...], pixel_format: str) -> None:
    picture = np.full(shape, 99, np.uint8)
    frame = jpeg_frame(picture, pixel_format)
    assert np.abs(picture_of(frame).astype(int) - 99).max() < 4
    assert picture_of(frame).shape == shape
    for wrong in (replace(frame, width=99), replace(frame, data=b"no jpeg")):
        with pytest.raises(WireError, match="size_mismatch"):
            picture_of(wrong)
