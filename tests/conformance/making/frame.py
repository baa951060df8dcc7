"""Vectors of frames (spec 3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from making.forms import (
    ENVELOPE,
    INT_MAX,
    NOON_NS,
    ORIGIN,
    TOPICS,
    Fields,
    Vector,
    describe,
    message,
    refused,
    valid,
    without,
)
from making.packing import f64, map16

FRAME: Fields = {
    "camera": "cam1",
    "frame_number": 41,
    "captured_ns": NOON_NS,
    "mono_ns": 5_000_000_000,
    "clock": "host",
    "width": 4,
    "height": 2,
    "pixel_format": "mono8",
    "stride_bytes": 4,
    "codec": "raw",
    "nbytes": 8,
}

PIXELS = bytes(range(8))

# What a frame's reader finds where these keys are absent.
ABSENT: Fields = {"device_ns": None, "relayed_mono_ns": None, "thinned": 0}

FORMATS = {
    **dict.fromkeys(["mono8", "bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"], (1, 1)),
    **dict.fromkeys(["mono16", "bayer_rggb16", "bayer_bggr16", "bayer_gbrg16", "bayer_grbg16"], (2, 1)),
    **dict.fromkeys(["bgr8", "rgb8"], (1, 3)),
    **dict.fromkeys(["bgra8", "rgba8"], (1, 4)),
}


def frame_vectors() -> Iterator[Vector]:
    yield from frame_valid()
    yield from frame_formats()
    yield from frame_refused()


def frame_valid() -> Iterator[Vector]:
    expect = {**ORIGIN, **FRAME, **ABSENT, "pixels": [[0, 1, 2, 3], [4, 5, 6, 7]]}
    yield valid("mono8, 4 x 2", message("frame", FRAME, PIXELS), expect)
    yield valid("unknown keys", message("frame", FRAME | {"exposure_us": 900, "x": [None]}, PIXELS), expect)
    yield valid(
        "keys in reverse order",
        [TOPICS["frame"], map16(reversed((ENVELOPE | FRAME).items())), PIXELS],
        expect,
    )
    yield valid(
        "a device clock", message("frame", FRAME | {"device_ns": 12}, PIXELS), expect | {"device_ns": 12}
    )
    relayed = {"relayed_mono_ns": 7_000_000_000, "thinned": 2}
    yield valid("relayed and thinned", message("frame", FRAME | relayed, PIXELS), expect | relayed)
    ptp = {"clock": "ptp"}
    yield valid("another clock", message("frame", FRAME | ptp, PIXELS), expect | ptp)
    largest = dict.fromkeys(["frame_number", "captured_ns", "mono_ns", "device_ns"], INT_MAX)
    yield valid("the largest integers", message("frame", FRAME | largest, PIXELS), expect | largest)
    padded = {"stride_bytes": 6, "nbytes": 12}
    data = bytes([0, 1, 2, 3, 99, 99, 4, 5, 6, 7, 99, 99])
    yield valid("a padded stride", message("frame", FRAME | padded, data), expect | padded)
    odd = {"pixel_format": "mono16", "width": 2, "stride_bytes": 5, "nbytes": 10}
    data = struct.pack("<HHxHHx", 1, 65535, 258, 4)
    yield valid(
        "mono16 with an odd stride",
        message("frame", FRAME | odd, data),
        expect | odd | {"pixels": [[1, 65535], [258, 4]]},
    )
    color = {"pixel_format": "bgr8", "width": 1, "stride_bytes": 4}
    yield valid(
        "bgr8 with a padded stride",
        message("frame", FRAME | color, PIXELS),
        expect | color | {"pixels": [[[0, 1, 2]], [[4, 5, 6]]]},
    )
    single = {"width": 1, "height": 1, "stride_bytes": 1, "nbytes": 1}
    yield valid("one pixel", message("frame", FRAME | single, b"\x80"), expect | single | {"pixels": [[128]]})
    wide = {"width": 16_384, "height": 1, "stride_bytes": 16_384, "nbytes": 16_384}
    yield valid(
        "the widest picture",
        message("frame", FRAME | wide, bytes(16_384)),
        {**expect, **wide, "pixels": None},
    )
    jpeg = {"codec": "jpeg", "stride_bytes": 0, "pixel_format": "bgr8", "nbytes": len(JPEG)}
    parts = message("frame", FRAME | jpeg, JPEG)
    yield valid("jpeg", [b"frame.jpeg/cam1/", *parts[1:]], {**expect, **jpeg, "pixels": None, "data": JPEG})


# The shortest thing that begins and ends like a JPEG: the bus does not look inside.
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def frame_formats() -> Iterator[Vector]:
    for name, (sample_bytes, channels) in FORMATS.items():
        width, height = 3, 2
        samples = [
            number * (257 if sample_bytes == 2 else 1) + 1 for number in range(width * height * channels)
        ]
        data = struct.pack(f"<{len(samples)}{'H' if sample_bytes == 2 else 'B'}", *samples)
        row = width * sample_bytes * channels
        shape = {
            "width": width,
            "height": height,
            "pixel_format": name,
            "stride_bytes": row,
            "nbytes": row * height,
        }
        pixels: list[Any] = samples
        if channels > 1:
            pixels = [samples[at : at + channels] for at in range(0, len(samples), channels)]
        rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
        expect = {**ORIGIN, **FRAME, **shape, **ABSENT, "pixels": rows}
        yield valid(f"pixel format {name}", message("frame", FRAME | shape, data), expect)


def frame_refused() -> Iterator[Vector]:
    for key in FRAME:
        yield refused(f"no {key}", message("frame", without(FRAME, key), PIXELS), "missing_key")
    yield refused("no payload", message("frame", FRAME), "wrong_part_count")
    for name, changes, data in (
        ("payload shorter than nbytes", {}, PIXELS[:-1]),
        ("payload longer than nbytes", {}, PIXELS + b"\x00"),
        ("empty payload", {}, b""),
        ("stride x height is less than nbytes", {"height": 1}, PIXELS),
        ("stride x height is more than nbytes", {"height": 3}, PIXELS),
        ("a stride shorter than a row", {"width": 5}, PIXELS),
        ("a stride shorter than a row of mono16", {"pixel_format": "mono16"}, PIXELS),
        ("a stride shorter than a row of bgr8", {"pixel_format": "bgr8"}, PIXELS),
        ("a raw picture without stride", {"stride_bytes": 0}, PIXELS),
        ("jpeg with a stride", {"codec": "jpeg"}, PIXELS),
        ("a huge claim", {"width": 16_384, "height": 16_384, "stride_bytes": 16_384}, PIXELS),
    ):
        yield refused(name, message("frame", FRAME | changes, data), "size_mismatch")
    for reason, changes in (
        ("out_of_range", {"width": 0, "height": 0, "stride_bytes": -4, "nbytes": -8, "frame_number": -1}),
        ("out_of_range", {"width": -4, "height": -2, "captured_ns": -1, "mono_ns": -1, "device_ns": -1}),
        ("out_of_range", {"width": 16_385, "height": 16_385, "stride_bytes": 2**32, "nbytes": 268_435_457}),
        ("out_of_range", {"width": 2**62, "height": 2**63, "camera": "c" * 65, "clock": "c" * 33}),
        (
            "wrong_type",
            {"width": 4.0, "height": "2", "stride_bytes": None, "nbytes": [8], "frame_number": True},
        ),
        ("wrong_type", {"camera": 1, "pixel_format": 8, "codec": None, "clock": b"host", "device_ns": "1"}),
        ("wrong_type", {"captured_ns": f64(NOON_NS), "mono_ns": "5", "device_ns": None}),
        ("unknown_pixel_format", {"pixel_format": "mono12"}),
        ("unknown_pixel_format", {"pixel_format": "MONO8"}),
        ("unknown_codec", {"codec": "h265"}),
        ("unknown_codec", {"codec": ""}),
    ):
        for key, value in changes.items():
            name = f"{reason}: {key} {describe(value)}"
            yield refused(name, message("frame", FRAME | {key: value}, PIXELS), reason)
    empty = {"codec": "jpeg", "stride_bytes": 0, "nbytes": 0}
    yield refused("an empty jpeg", message("frame", FRAME | empty, b""), "out_of_range")
