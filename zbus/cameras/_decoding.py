"""The way into OpenCV's decoders, without what they write to stderr."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zbus.cameras._buffers import Buffers

if TYPE_CHECKING:
    import cv2

PIXEL_FORMATS = ("mono8", "bgr8")
FFMPEG_QUIET = "-8"


def open_video(source: str, options: Sequence[int] = ()) -> cv2.VideoCapture:
    """Open a video file or a stream's address; the result's `isOpened` tells whether that went well.

    `options` are pairs of CAP_PROP and value. Blocks while a stream's host is looked for.
    """
    import cv2

    silence()
    # Why: the other backends print, or take the name for a pattern of picture files.
    has_ffmpeg = cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG)
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG if has_ffmpeg else cv2.CAP_ANY, list(options))


def decode_picture(content: bytes) -> NDArray[np.uint8] | None:
    """A picture file's content as uint8 (height, width) or (height, width, 3) in BGR; None if unreadable."""
    import cv2

    silence()
    if not content:
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR)  # pyright: ignore
    except cv2.error:
        return None


def convert(image: NDArray[Any], pixel_format: str, buffers: Buffers | None = None) -> NDArray[np.uint8]:
    """A gray or BGR uint8 picture in `pixel_format`, mono8 or bgr8; the same array where it already is.

    Where it is not, the result lies in one of `buffers`.
    """
    import cv2

    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if pixel_format_of(image) == pixel_format:
        return image
    way = cv2.COLOR_GRAY2BGR if pixel_format == "bgr8" else cv2.COLOR_BGR2GRAY
    shape = image.shape[:2] + ((3,) if pixel_format == "bgr8" else ())
    return cv2.cvtColor(image, way, (buffers or Buffers()).new(shape))  # pyright: ignore[reportReturnType]


def pixel_format_of(image: NDArray[Any]) -> str:
    """What a picture from OpenCV holds: mono8 with one channel, bgr8 with three."""
    return "mono8" if image.ndim == 2 or image.shape[2] == 1 else "bgr8"


def silence() -> None:
    """Keep OpenCV's log and FFmpeg's off stderr, for the whole process.

    OPENCV_FFMPEG_LOGLEVEL wins where it is set. FFmpeg reads it once, so whoever uses FFmpeg through OpenCV
    before the first camera keeps the noise. Why: a library never prints, and errors tell the cause.
    """
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
