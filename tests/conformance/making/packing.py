"""Msgpack by hand: every width and every mistake, independent of the code that the vectors check."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any


class Packed(bytes):
    """Bytes that are msgpack already."""


def pack(value: Any) -> Packed:
    """The shortest msgpack of a value; floats are 64 bit; what is `Packed` stays as it is."""
    if isinstance(value, Packed):
        return value
    if value is None:
        return Packed(b"\xc0")
    if isinstance(value, bool):
        return Packed(b"\xc3" if value else b"\xc2")
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return f64(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return binary(value)
    if isinstance(value, dict):
        return mapping(value.items())
    return array(value)


def integer(value: int) -> Packed:
    """The shortest integer."""
    if -32 <= value < 0:
        return Packed(struct.pack("b", value))
    if 0 <= value < 128:
        return Packed(struct.pack("B", value))
    widths = (u8, u16, u32, u64) if value >= 0 else (i8, i16, i32, i64)
    for bits, width in zip((8, 16, 32, 64), widths, strict=True):
        if -(2 ** (bits - 1)) <= value < 2**bits:
            return width(value)
    raise ValueError(f"{value} has no msgpack")


def u8(value: int) -> Packed:
    return Packed(b"\xcc" + struct.pack(">B", value))


def u16(value: int) -> Packed:
    return Packed(b"\xcd" + struct.pack(">H", value))


def u32(value: int) -> Packed:
    return Packed(b"\xce" + struct.pack(">I", value))


def u64(value: int) -> Packed:
    return Packed(b"\xcf" + struct.pack(">Q", value))


def i8(value: int) -> Packed:
    return Packed(b"\xd0" + struct.pack(">b", value))


def i16(value: int) -> Packed:
    return Packed(b"\xd1" + struct.pack(">h", value))


def i32(value: int) -> Packed:
    return Packed(b"\xd2" + struct.pack(">i", value))


def i64(value: int) -> Packed:
    return Packed(b"\xd3" + struct.pack(">q", value))


def f32(value: float) -> Packed:
    return Packed(b"\xca" + struct.pack(">f", value))


def f64(value: float) -> Packed:
    return Packed(b"\xcb" + struct.pack(">d", value))


def text(value: str) -> Packed:
    """The shortest string."""
    size = len(value.encode())
    if size < 32:
        return Packed(bytes([0xA0 | size]) + value.encode())
    return str8(value) if size < 256 else str16(value)


def str8(value: str) -> Packed:
    return Packed(b"\xd9" + struct.pack(">B", len(value.encode())) + value.encode())


def str16(value: str) -> Packed:
    return Packed(b"\xda" + struct.pack(">H", len(value.encode())) + value.encode())


def str32(value: str) -> Packed:
    return Packed(b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode())


def binary(value: bytes) -> Packed:
    return Packed(b"\xc4" + struct.pack(">B", len(value)) + value)


def array(items: Iterable[Any]) -> Packed:
    """The shortest array."""
    parts = [pack(item) for item in items]
    head = bytes([0x90 | len(parts)]) if len(parts) < 16 else b"\xdc" + struct.pack(">H", len(parts))
    return Packed(head + b"".join(parts))


def array16(items: Sequence[Any]) -> Packed:
    return Packed(b"\xdc" + struct.pack(">H", len(items)) + b"".join(map(pack, items)))


def array32(items: Sequence[Any]) -> Packed:
    return Packed(b"\xdd" + struct.pack(">I", len(items)) + b"".join(map(pack, items)))


def mapping(pairs: Iterable[tuple[Any, Any]]) -> Packed:
    """The shortest map of key-value pairs, in their order; a key may come twice."""
    parts = [pack(key) + pack(value) for key, value in pairs]
    head = bytes([0x80 | len(parts)]) if len(parts) < 16 else b"\xde" + struct.pack(">H", len(parts))
    return Packed(head + b"".join(parts))


def map16(pairs: Iterable[tuple[Any, Any]]) -> Packed:
    parts = [pack(key) + pack(value) for key, value in pairs]
    return Packed(b"\xde" + struct.pack(">H", len(parts)) + b"".join(parts))


def map32(pairs: Iterable[tuple[Any, Any]]) -> Packed:
    parts = [pack(key) + pack(value) for key, value in pairs]
    return Packed(b"\xdf" + struct.pack(">I", len(parts)) + b"".join(parts))


def ext8(code: int, data: bytes) -> Packed:
    return Packed(b"\xc7" + struct.pack(">Bb", len(data), code) + data)


def fixext4(code: int, data: bytes) -> Packed:
    return Packed(b"\xd6" + struct.pack(">b", code) + data)


def nested(depth: int) -> Packed:
    """An array in an array, `depth` of them in all."""
    return Packed(b"\x91" * (depth - 1) + b"\x90")
