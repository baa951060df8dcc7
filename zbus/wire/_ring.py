"""The bytes at the head of a ring of shared memory (spec 9): made and checked here, mapped elsewhere."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from zbus.errors import WireError
from zbus.wire._limits import (
    FRAME_MAX_BYTES,
    INTEGER_MAX,
    RING_ALIGN_BYTES,
    RING_ENTRIES_MAX,
    RING_ENTRY_MAX_BYTES,
    RING_FILE_MAX_BYTES,
    RING_HEADER_MAX_BYTES,
    RING_SLOTS_MAX,
    RING_SLOTS_MIN,
    SOURCE_MAX_CHARS,
)
from zbus.wire._topics import is_source_name

MAGIC = b"zbusring"
RING_VERSION = 1
RING_HEADER_BYTES, SLOT_HEADER_BYTES = 256, 64
# Where the bell and the count of what was shown are, on cache lines of their own.
RING_BELL_AT, RING_SHOWN_AT = 128, 192
# A board has room for a header of so many bytes less 16, and for each slot at least one entry.
RING_ENTRY_BYTES, RING_ENTRIES_MIN = 1_024, 64

_HEADER = struct.Struct("<8sIIQIIQQQQII")
_NAME = re.compile(rf"zbus\.([A-Za-z0-9][A-Za-z0-9._-]{{0,{SOURCE_MAX_CHARS - 1}}})\.[0-9a-f]{{16}}\.ring")


@dataclass(frozen=True, slots=True)
class RingHeader:
    """What the head of a ring says.

    Slot i begins at `header_bytes + i * slot_stride`, its pixels `slot_header_bytes` further on. The board
    begins at `board_start`; one of 0 entries is none. `writer_start` is when the writing process began, in
    clock ticks since the machine's start; 0 where nobody knows.
    """

    generation: int
    slot_count: int
    slot_stride: int
    payload_max: int
    writer_pid: int
    writer_start: int
    header_bytes: int = RING_HEADER_BYTES
    slot_header_bytes: int = SLOT_HEADER_BYTES
    board_entries: int = 0
    board_entry_bytes: int = 0

    @property
    def board_start(self) -> int:
        """Where the board begins: behind the last slot."""
        return self.header_bytes + self.slot_count * self.slot_stride

    @property
    def file_bytes(self) -> int:
        """How many bytes the whole ring has."""
        return self.board_start + self.board_entries * self.board_entry_bytes


def slot_stride(payload_max: int) -> int:
    """The bytes from slot to slot for pixels of at most `payload_max` bytes."""
    return SLOT_HEADER_BYTES + -(-payload_max // RING_ALIGN_BYTES) * RING_ALIGN_BYTES


def ring_name(camera: str, random_hex: str) -> str:
    """The file name of a ring of `camera`; `random_hex` are 16 hexadecimal digits. Raises WireError."""
    if not is_source_name(camera):
        raise WireError("bad_ring_name", f"{camera[:80]!r} is not a camera's id")
    return check_ring_name(f"zbus.{camera}.{random_hex}.ring")


def check_ring_name(name: str) -> str:
    """`name` where a ring may be called that: no path, nothing but letters, digits, `.`, `_` and `-`.

    Raises WireError `bad_ring_name`.
    """
    if _NAME.fullmatch(name) is None:
        raise WireError("bad_ring_name", f"{name[:80]!r}")
    return name


def encode_ring_header(header: RingHeader) -> bytes:
    """The first RING_HEADER_BYTES of a ring."""
    return _HEADER.pack(
        MAGIC,
        RING_VERSION,
        header.header_bytes,
        header.generation,
        header.slot_count,
        header.slot_header_bytes,
        header.slot_stride,
        header.payload_max,
        header.writer_pid,
        header.writer_start,
        header.board_entries,
        header.board_entry_bytes,
    ).ljust(RING_HEADER_BYTES, b"\x00")


def decode_ring_header(data: bytes, file_bytes: int) -> RingHeader:
    """Read the head of a ring whose file has `file_bytes`; no size in it is believed.

    Raises WireError: `size_mismatch`, `bad_magic`, `unknown_version`, `out_of_range`.
    """
    if len(data) < RING_HEADER_BYTES:
        raise WireError("size_mismatch", f"a ring of {len(data)} bytes has no header")
    magic, version, header_bytes, generation, count, slot_header, stride, payload, pid, start, *board = (
        _HEADER.unpack_from(data)
    )
    if magic != MAGIC:
        raise WireError("bad_magic", f"{magic!r}")
    if version != RING_VERSION:
        raise WireError("unknown_version", f"a ring of version {version}, this is {RING_VERSION}")
    header = RingHeader(generation, count, stride, payload, pid, start, header_bytes, slot_header, *board)
    _check(header, file_bytes)
    return header


def _check(header: RingHeader, file_bytes: int) -> None:
    heads = (header.header_bytes, header.slot_header_bytes)
    lowest = (RING_HEADER_BYTES, SLOT_HEADER_BYTES)
    if not 1 <= header.generation <= INTEGER_MAX:
        raise WireError("out_of_range", f"generation is {header.generation}")
    if not RING_SLOTS_MIN <= header.slot_count <= RING_SLOTS_MAX:
        raise WireError("out_of_range", f"{header.slot_count} slots")
    if not 1 <= header.payload_max <= FRAME_MAX_BYTES:
        raise WireError("out_of_range", f"slots of {header.payload_max} bytes")
    if not all(low <= head <= RING_HEADER_MAX_BYTES for low, head in zip(lowest, heads, strict=True)):
        raise WireError("out_of_range", f"heads of {heads[0]} and {heads[1]} bytes")
    if any(size % RING_ALIGN_BYTES for size in (*heads, header.slot_stride, header.board_entry_bytes)):
        raise WireError("size_mismatch", f"not in steps of {RING_ALIGN_BYTES} bytes")
    if header.slot_stride < header.slot_header_bytes + header.payload_max:
        raise WireError("size_mismatch", f"a stride of {header.slot_stride} is less than a slot")
    _check_board(header)
    if not header.file_bytes <= min(file_bytes, RING_FILE_MAX_BYTES):
        raise WireError("size_mismatch", f"{header.file_bytes} bytes in a file of {file_bytes}")


def _check_board(header: RingHeader) -> None:
    if header.board_entries > RING_ENTRIES_MAX:
        raise WireError("out_of_range", f"a board of {header.board_entries} entries")
    if header.board_entries and not RING_ALIGN_BYTES <= header.board_entry_bytes <= RING_ENTRY_MAX_BYTES:
        raise WireError("out_of_range", f"entries of {header.board_entry_bytes} bytes")
