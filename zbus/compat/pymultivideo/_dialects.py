"""Frames in the two forms that pyMultiVideo's clients read. No I/O.

json: one part, `{"unique_id", "timestamp", "image", "height", "width"}`, the image as base64.
msgpack: three parts, `image`, msgpack `{"unique_id", "timestamp", "height", "width"}`, the pixels.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, cast

import msgpack
import numpy as np
from numpy.typing import NDArray

from zbus.compat.pymultivideo._settings import FrontEndSettings
from zbus.nodes import to_mono_or_bgr
from zbus.wire import Buffer, Frame

IMAGE_TOPIC = b"image"


def encode_picture(frame: Frame, settings: FrontEndSettings) -> list[Buffer]:
    """The message that clients of `settings.dialect` expect for this frame.

    msgpack's pixels may be the frame's own memory. Raises WireError for a picture that is not raw.
    """
    pixels = one_byte_pixels(frame, settings.color)
    facts = _facts(frame, settings)
    if settings.dialect == "json":
        return [_json_message(facts, pixels)]
    size = {"height": frame.height, "width": frame.width}
    header = cast(bytes, msgpack.packb(facts | size))
    return [IMAGE_TOPIC, header, cast(Buffer, pixels.reshape(-1).data)]


def one_byte_pixels(frame: Frame, color: str) -> NDArray[np.uint8]:
    """The picture as (height, width) uint8 whose rows follow each other without a gap.

    Of 16 bits the upper 8 are kept. Color becomes a Bayer mosaic whose first row is R G R G, or, where
    `color` is "mono", gray. Raises WireError.
    """
    if color == "mosaic" and frame.pixel_format.startswith("bayer_rggb"):
        pixels = _upper_bits(frame.image)
    else:
        pixels = to_mono_or_bgr(frame.image, frame.pixel_format)
    if pixels.ndim == 3:
        pixels = _to_gray(pixels) if color == "mono" else to_rggb_mosaic(pixels)
    return np.ascontiguousarray(pixels)


def to_rggb_mosaic(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each pixel the one color that a Bayer RGGB sensor would see there."""
    mosaic = bgr[:, :, 1].copy()
    mosaic[0::2, 0::2] = bgr[0::2, 0::2, 2]
    mosaic[1::2, 1::2] = bgr[1::2, 1::2, 0]
    return mosaic


def _facts(frame: Frame, settings: FrontEndSettings) -> dict[str, Any]:
    # Why: pyMultiVideo's timestamp is the camera's own clock; a camera without one has the host's.
    timestamp = frame.captured_ns if frame.device_ns is None else frame.device_ns
    facts: dict[str, Any] = {"unique_id": settings.picture_id, "timestamp": timestamp}
    if settings.extended:
        facts["frame_number"] = frame.frame_number
        facts["captured_us"] = frame.captured_ns // 1000
        facts["pixel_format"] = _sent_format(frame, settings.color)
    return facts


def _sent_format(frame: Frame, color: str) -> str:
    is_mono = color == "mono" or frame.pixel_format.startswith("mono")
    return "mono8" if is_mono else "bayer_rggb8"


def _json_message(facts: dict[str, Any], pixels: NDArray[np.uint8]) -> bytes:
    # Why: base64 needs no escapes, and json.dumps would look for them in each of its millions of letters.
    height, width = pixels.shape
    head = json.dumps(facts)[:-1].encode()
    tail = b'", "height": %d, "width": %d}' % (height, width)
    return b"".join((head, b', "image": "', b64encode(pixels.data), tail))


def _upper_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    return (image >> 8).astype(np.uint8) if image.dtype.itemsize == 2 else image


def _to_gray(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
