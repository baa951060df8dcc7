"""The form in which zbus writes notices, and reads those of its own without looking at each key anew.

A camera's notices differ in a few numbers only. The keys that stay the same stand first and are packed once;
the others follow as 64-bit integers at fixed places. To any other reader it is a map like all (spec 1).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from zbus.errors import WireError
from zbus.wire._envelope import Origin
from zbus.wire._frame import Frame
from zbus.wire._header import pack_map
from zbus.wire._limits import HEADER_MAX_BYTES, RING_SLOTS_MAX, WIRE_VERSION
from zbus.wire._notice import FrameNotice, RingReference
from zbus.wire._topics import FRAME

_NUMBERS = ("seq", "published_ns", "frame_number", "captured_ns", "mono_ns", "ring_slot", "ring_lock")
_EXTRAS = ("device_ns", "relayed_mono_ns", "thinned")
_INT64 = b"\xd3"


def _mark(key: str) -> bytes:
    """A short key as msgpack, and the sign of the integer behind it."""
    return bytes([0xA0 | len(key)]) + key.encode("ascii") + _INT64


_MARKS = tuple(map(_mark, _NUMBERS))
_EXTRA_MARKS = tuple(map(_mark, _EXTRAS))
_BODY = struct.Struct(">" + "".join(f"{len(mark)}sq" for mark in _MARKS))


class NoticeWriter:
    """Writes the notices of one camera."""

    def __init__(self) -> None:
        self._same: tuple[Any, ...] = ()
        self._start = b""

    def encode(self, origin: Origin, frame: Frame, where: RingReference) -> bytes:
        """The header of a notice. Raises WireError where the frame breaks the spec."""
        same = (
            origin.node, origin.session, frame.camera, frame.clock, frame.width, frame.height,
            frame.pixel_format, frame.stride_bytes, frame.codec, frame.nbytes, where.ring, where.generation,
            frame.device_ns is None, frame.relayed_mono_ns is None, frame.thinned == 0,
        )  # fmt: skip
        if same != self._same:
            self._start, self._same = _pack_start(origin, frame, where), same
        seq, published, number, captured, mono, slot, lock = _MARKS
        try:
            body = _BODY.pack(
                seq, origin.seq, published, origin.published_ns, number, frame.frame_number, captured,
                frame.captured_ns, mono, frame.mono_ns, slot, where.slot, lock, where.lock,
            )  # fmt: skip
            return self._start + body + _pack_extras(frame)
        except struct.error as error:
            raise WireError("wrong_type", f"a number of a frame: {error}") from error


class NoticeReader:
    """Reads the notices of one camera; each that begins as the last one did needs no other look at its keys.

    What it does not know by its form it leaves to others, and learns from what they found.
    """

    def __init__(self) -> None:
        self._start = b""
        self._nbytes = -1
        self.keys: dict[str, Any] = {}

    def decode(self, data: bytes) -> dict[str, Any] | None:
        """The header; None where it has another form, or is not all right."""
        numbers = self.numbers(data)
        return None if numbers is None else _header_of(self.keys, numbers)

    def numbers(self, data: bytes) -> tuple[int, ...] | None:
        """What differs from the last notice: the values of `_NUMBERS`, all else is as in `keys`.

        None where it has another form, or is not all right.
        """
        if len(data) != self._nbytes or not data.startswith(self._start):
            return None
        return _read_numbers(data, len(self._start))

    def learn(self, data: bytes, header: Mapping[str, Any], frame: Frame) -> None:
        """Remember how a notice began whose header and `frame` were found to be right."""
        place = data.find(_MARKS[0])
        if place < 0 or len(data) != place + _BODY.size or frame.nbytes != header["nbytes"]:
            return
        if any(key in header for key in _EXTRAS):
            return
        keys = {key: value for key, value in header.items() if key not in _NUMBERS}
        # Why compare: only what this way of reading gets exactly right is read by it.
        numbers = _read_numbers(data, place)
        if numbers is not None and _header_of(keys, numbers) == header:
            self._start, self._nbytes, self.keys = data[:place], len(data), keys


def _read_numbers(data: bytes, place: int) -> tuple[int, ...] | None:
    found = _BODY.unpack_from(data, place)
    numbers = found[1::2]
    slot, lock = numbers[5], numbers[6]
    if found[::2] != _MARKS or min(numbers) < 0 or slot >= RING_SLOTS_MAX or lock % 2 or not lock:
        return None
    return numbers


def _header_of(keys: Mapping[str, Any], numbers: tuple[int, ...]) -> dict[str, Any]:
    return dict(keys) | dict(zip(_NUMBERS, numbers, strict=True))


def _pack_start(origin: Origin, frame: Frame, where: RingReference) -> bytes:
    """The map's head and the keys that stay the same."""
    header = FrameNotice(frame.header(), where).header()
    envelope = {"v": WIRE_VERSION, "node": origin.node, "session": origin.session}
    same = {key: value for key, value in (envelope | header).items() if key not in (*_NUMBERS, *_EXTRAS)}
    packed = pack_map(same, HEADER_MAX_BYTES[FRAME] - 256)
    extras = sum(key in header for key in _EXTRAS)
    head = b"\xde" + struct.pack(">H", len(same) + len(_NUMBERS) + extras)
    return head + packed[1 if len(same) < 16 else 3 :]


def _pack_extras(frame: Frame) -> bytes:
    if frame.device_ns is None and frame.relayed_mono_ns is None and not frame.thinned:
        return b""
    values = (frame.device_ns, frame.relayed_mono_ns, frame.thinned or None)
    pairs = zip(_EXTRA_MARKS, values, strict=True)
    return b"".join(mark + struct.pack(">q", value) for mark, value in pairs if value is not None)
