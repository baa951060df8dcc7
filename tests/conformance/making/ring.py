"""Vectors of notices, and of rings of shared memory: whole small files (spec 9)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from making.forms import ENVELOPE, ORIGIN, Fields, Vector, refused, valid, without
from making.frame import FRAME, PIXELS
from making.packing import pack

GENERATION = 0x0123456789ABCDEF
RING = "zbus.cam1.00112233445566ff.ring"
WHERE: Fields = {"ring": RING, "ring_generation": GENERATION, "ring_slot": 1, "ring_lock": 4}
NOWHERE: Fields = {"ring": "", "ring_generation": 0, "ring_slot": 0, "ring_lock": 0}

HEAD = {
    "magic": b"zbusring",
    "version": 1,
    "header_bytes": 256,
    "generation": GENERATION,
    "slot_count": 2,
    "slot_header_bytes": 64,
    "slot_stride": 128,
    "payload_max": 8,
    "writer_pid": 1000,
    "writer_start": 12_345,
    "board_entries": 2,
    "board_entry_bytes": 64,
}


def notice_vectors() -> Iterator[Vector]:
    yield valid("slot 1", notice(WHERE), {**ORIGIN, **FRAME, **WHERE})
    yield valid("no ring at the moment", notice(NOWHERE), {**ORIGIN, **FRAME, **NOWHERE})
    longest = {"ring": f"zbus.C{'x' * 63}.0000000000000000.ring", "ring_slot": 4095}
    yield valid(
        "the longest name, the last slot", notice(WHERE | longest), {**ORIGIN, **FRAME, **WHERE, **longest}
    )
    for key in WHERE:
        yield refused(f"no {key}", notice(without(WHERE, key)), "missing_key")
    yield valid("a sign of life", [b"frame.bell/cam1/", notice(WHERE)[1]], {**ORIGIN, **FRAME, **WHERE})
    yield refused("a payload", [*notice(WHERE), PIXELS], "wrong_part_count")
    for name in (
        "../../etc/passwd",
        "/dev/shm/" + RING,
        "zbus.cam1.ring",
        "zbus.cam1.00112233445566FF.ring",
        "zbus.-cam1.00112233445566ff.ring",
        f"zbus.{'x' * 65}.00112233445566ff.ring",
        RING + "\n",
        RING + "\x00",
    ):
        yield refused(f"the name {name!r}", notice(WHERE | {"ring": name}), "bad_ring_name")
    for what, changes in (
        ("a name of 97 characters", {"ring": "z" * 97}),
        ("a slot that no ring has", {"ring_slot": 4096}),
        ("a slot below 0", {"ring_slot": -1}),
        ("a lock below 0", {"ring_lock": -2}),
        ("a slot that is being written", {"ring_lock": 5}),
        ("a slot that was never written", {"ring_lock": 0}),
        ("a ring without generation", {"ring_generation": 0}),
        ("no pixels", {"nbytes": 0}),
    ):
        yield refused(what, notice(WHERE | changes), "out_of_range")
    yield refused("a name that is bytes", notice(WHERE | {"ring": RING.encode()}), "wrong_type")
    yield refused("a slot that is a text", notice(WHERE | {"ring_slot": "1"}), "wrong_type")


def ring_vectors() -> Iterator[Vector]:
    empty, whole = slot(0, b""), slot(4, PIXELS)
    expect: dict[str, Any] = without(HEAD, "magic") | {"board": [b"two", b"three"]}
    yield valid(
        "two slots, one being written",
        [ring(HEAD, slot(5, b"\xff\xff"), whole)],
        expect | {"locks": [5, 4], "pixels": [None, PIXELS]},
    )
    yield valid(
        "nothing written", [ring(HEAD, empty, empty)], expect | {"locks": [0, 0], "pixels": [None, None]}
    )
    yield valid(
        "bytes behind the last slot",
        [ring(HEAD, empty, whole) + bytes(100)],
        expect | {"locks": [0, 4], "pixels": [None, PIXELS]},
    )
    later = {"header_bytes": 320, "slot_header_bytes": 192, "slot_stride": 256}
    yield valid(
        "longer heads",
        [ring(HEAD | later, slot(2, PIXELS, 192, 256), slot(0, b"", 192, 256))],
        expect | later | {"locks": [2, 0], "pixels": [PIXELS, None]},
    )
    none = {"board_entries": 0, "board_entry_bytes": 0}
    yield valid(
        "no board",
        [ring(HEAD | none, empty, whole)],
        expect | none | {"locks": [0, 4], "pixels": [None, PIXELS], "board": []},
    )
    unknown = {"writer_start": 0}
    yield valid(
        "a writer whose start nobody knows",
        [ring(HEAD | unknown, empty, empty)],
        expect | unknown | {"locks": [0, 0], "pixels": [None, None]},
    )
    for what, changes, reason in (
        ("another magic", {"magic": b"zbusrung"}, "bad_magic"),
        ("no magic", {"magic": bytes(8)}, "bad_magic"),
        ("another version", {"version": 2}, "unknown_version"),
        ("version 0", {"version": 0}, "unknown_version"),
        ("no generation", {"generation": 0}, "out_of_range"),
        ("a generation past 63 bits", {"generation": 2**63}, "out_of_range"),
        ("no slots", {"slot_count": 0}, "out_of_range"),
        ("one slot", {"slot_count": 1}, "out_of_range"),
        ("too many slots", {"slot_count": 4097}, "out_of_range"),
        ("more slots than the file has", {"slot_count": 3}, "size_mismatch"),
        ("a stride past the file's end", {"slot_stride": 1024}, "size_mismatch"),
        ("a stride whose product has no room in 64 bits", {"slot_stride": 2**63}, "size_mismatch"),
        ("a stride of 0", {"slot_stride": 0}, "size_mismatch"),
        ("a stride shorter than a slot", {"slot_stride": 64}, "size_mismatch"),
        ("a stride that is not in steps of 64", {"slot_stride": 100}, "size_mismatch"),
        ("pixels larger than the stride", {"payload_max": 65}, "size_mismatch"),
        ("pixels larger than any frame", {"payload_max": 2**40}, "out_of_range"),
        ("slots without pixels", {"payload_max": 0}, "out_of_range"),
        ("a head that is too short", {"header_bytes": 192}, "out_of_range"),
        ("a head that is too long", {"header_bytes": 8192}, "out_of_range"),
        ("a head that is not in steps of 64", {"header_bytes": 300}, "size_mismatch"),
        ("slots without a head", {"slot_header_bytes": 0}, "out_of_range"),
        ("too many entries", {"board_entries": 4097}, "out_of_range"),
        ("entries without room", {"board_entry_bytes": 0}, "out_of_range"),
        ("entries that are too large", {"board_entry_bytes": 8256}, "out_of_range"),
        ("entries that are not in steps of 64", {"board_entry_bytes": 100}, "size_mismatch"),
        ("more entries than the file has", {"board_entries": 3}, "size_mismatch"),
    ):
        yield refused(what, [ring(HEAD, empty, whole, **changes)], reason)
    yield refused("an empty file", [b""], "size_mismatch")
    yield refused("a header cut off", [ring(HEAD, empty, whole)[:255]], "size_mismatch")
    yield refused("a last entry cut off", [ring(HEAD, empty, whole)[:-1]], "size_mismatch")


def notice(where: Fields) -> list[bytes]:
    return [b"frame.ring/cam1/", pack(ENVELOPE | FRAME | where)]


def ring(head: Fields, *slots: bytes, **lies: Any) -> bytes:
    """A ring's file; `lies` change what its header says, not where its slots are.

    Its bell was rung three times. What was shown first has been written over by the third, on a board of two.
    """
    packed = struct.pack("<8sIIQIIQQQQII", *(head | lies).values())
    bell = packed.ljust(128, b"\x00") + struct.pack("<I", 3)
    start = bell.ljust(192, b"\x00") + struct.pack("<Q", 3)
    board = entry(6, b"three") + entry(4, b"two") if head["board_entries"] else b""
    return start.ljust(head["header_bytes"], b"\x00") + b"".join(slots) + board


def entry(lock: int, notice: bytes) -> bytes:
    return (struct.pack("<QQ", lock, len(notice)) + notice).ljust(64, b"\x00")


def slot(lock: int, pixels: bytes, head: int = 64, stride: int = 128) -> bytes:
    return (struct.pack("<Q", lock).ljust(head, b"\x00") + pixels).ljust(stride, b"\x00")
