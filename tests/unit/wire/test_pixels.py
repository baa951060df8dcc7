"""Pixel formats: what the name promises."""

import numpy as np
import pytest

from zbus.errors import WireError
from zbus.wire import PIXEL_FORMATS, pixel_format


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_the_name_tells_the_bits(name):
    pixels = pixel_format(name)
    assert pixels.name == name
    assert name.endswith(str(8 * pixels.dtype.itemsize))
    assert pixels.pixel_bytes == pixels.dtype.itemsize * pixels.channels


def test_sixteen_bits_are_little_endian():
    assert np.array([1], pixel_format("mono16").dtype).tobytes() == b"\x01\x00"


def test_a_mosaic_has_one_channel():
    assert {pixels.channels for name, pixels in PIXEL_FORMATS.items() if "bayer" in name} == {1}


@pytest.mark.parametrize("name", ["", "MONO8", "mono12", "x" * 10_000])
def test_others_are_unknown(name):
    with pytest.raises(WireError, match="unknown_pixel_format") as caught:
        pixel_format(name)
    assert len(str(caught.value)) < 200
