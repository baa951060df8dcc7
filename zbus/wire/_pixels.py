"""Pixel formats: what a format's name says about the bytes (spec 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zbus.errors import WireError

AnyArray = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """`dtype` and `channels` of one pixel; Bayer mosaics have one channel."""

    name: str
    dtype: np.dtype[np.uint8] | np.dtype[np.uint16]
    channels: int

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.dtype.itemsize * self.channels


_U8, _U16 = np.dtype(np.uint8), np.dtype(np.uint16).newbyteorder("<")

PIXEL_FORMATS: dict[str, PixelFormat] = {
    name: PixelFormat(name, dtype, channels)
    for name, dtype, channels in (
        ("mono8", _U8, 1),
        ("mono16", _U16, 1),
        ("bgr8", _U8, 3),
        ("rgb8", _U8, 3),
        ("bgra8", _U8, 4),
        ("rgba8", _U8, 4),
        ("bayer_rggb8", _U8, 1),
        ("bayer_bggr8", _U8, 1),
        ("bayer_gbrg8", _U8, 1),
        ("bayer_grbg8", _U8, 1),
        ("bayer_rggb16", _U16, 1),
        ("bayer_bggr16", _U16, 1),
        ("bayer_gbrg16", _U16, 1),
        ("bayer_grbg16", _U16, 1),
    )
}


def pixel_format(name: str) -> PixelFormat:
    """Look a format up. Raises WireError `unknown_pixel_format`."""
    try:
        return PIXEL_FORMATS[name]
    except KeyError:
        raise WireError("unknown_pixel_format", f"{name[:40]!r}") from None
