"""Between pixel formats: what the page and trackers can read."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.errors import WireError
from zbus.wire import JPEG, Frame

_TO_BGR = {
    "rgb8": cv2.COLOR_RGB2BGR,
    "bgra8": cv2.COLOR_BGRA2BGR,
    "rgba8": cv2.COLOR_RGBA2BGR,
    # Why: OpenCV names a mosaic after its second row and column, cameras after its first.
    "bayer_rggb8": cv2.COLOR_BayerBG2BGR,
    "bayer_bggr8": cv2.COLOR_BayerRG2BGR,
    "bayer_gbrg8": cv2.COLOR_BayerGR2BGR,
    "bayer_grbg8": cv2.COLOR_BayerGB2BGR,
}


def to_mono_or_bgr(image: NDArray[Any], pixel_format: str) -> NDArray[np.uint8]:
    """The picture as uint8, (height, width) or (height, width, 3) in BGR; the same array where it is that.

    16-bit pictures keep their upper 8 bits. Raises WireError `unknown_pixel_format`.
    """
    if image.dtype == np.uint16:
        image, pixel_format = (image >> 8).astype(np.uint8), pixel_format.replace("16", "8")
    if pixel_format in ("mono8", "bgr8"):
        return image
    if pixel_format not in _TO_BGR:
        raise WireError("unknown_pixel_format", pixel_format)
    return np.asarray(cv2.cvtColor(image, _TO_BGR[pixel_format]), np.uint8)


def picture_of(frame: Frame) -> NDArray[np.uint8]:
    """A frame's picture as `to_mono_or_bgr` gives it, decompressed where it is a JPEG. Raises WireError."""
    if frame.codec != JPEG:
        return to_mono_or_bgr(frame.image, frame.pixel_format)
    flag = cv2.IMREAD_GRAYSCALE if frame.pixel_format == "mono8" else cv2.IMREAD_COLOR
    picture = cv2.imdecode(np.frombuffer(frame.data, np.uint8), flag)
    if picture is None or picture.shape[:2] != (frame.height, frame.width):
        raise WireError("size_mismatch", f"no JPEG of {frame.width} x {frame.height} px")
    return np.asarray(picture, np.uint8)


def encode_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """A JPEG of a mono or BGR picture; `quality` 1..100."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise WireError("wrong_type", f"a picture {image.shape} cannot be a JPEG")
    return data.tobytes()
