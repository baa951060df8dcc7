"""Notices: frames whose pixels lie in a ring of shared memory (spec 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._frame import Frame, read_frame
from zbus.wire._header import read_int, read_text
from zbus.wire._limits import FRAME_MAX_BYTES, RING_SLOTS_MAX
from zbus.wire._ring import check_ring_name
from zbus.wire._topics import FRAME

RING_NAME_MAX_CHARS = 96


@dataclass(frozen=True, slots=True)
class RingReference:
    """Where pixels lie: the ring's file name and generation, the slot, and what its lock was when complete.

    An empty `ring` says that there is none at the moment: the pixels come on `frame/<camera>/` only.
    """

    ring: str = ""
    generation: int = 0
    slot: int = 0
    lock: int = 0


NO_RING = RingReference()


@dataclass(frozen=True, slots=True)
class FrameNotice:
    """A frame without its pixels, and where those are. `keys` are a frame's header keys."""

    kind: ClassVar[str] = FRAME

    keys: Mapping[str, Any]
    reference: RingReference

    @property
    def nbytes(self) -> int:
        """How many bytes the pixels have."""
        return self.keys["nbytes"]

    def frame(self, data: Buffer, check: Callable[[], bool] | None = None) -> Frame:
        """The frame with its pixels. Raises WireError as reading a frame does."""
        return read_frame(self.keys, data, check)

    def header(self) -> dict[str, Any]:
        """The keys of the frame, and those that tell where its pixels lie."""
        where = self.reference
        return {
            **self.keys,
            "ring": where.ring,
            "ring_generation": where.generation,
            "ring_slot": where.slot,
            "ring_lock": where.lock,
        }

    def payload(self) -> tuple[Buffer, ...]:
        """Nothing: that is the point of it."""
        return ()


def decode_notice(message: Message) -> FrameNotice:
    """Read a notice; what it says of the picture is checked with the pixels, in `frame`. Raises WireError."""
    if message.payload:
        raise WireError("wrong_part_count", "a notice has no payload")
    header = message.header
    read_int(header, "nbytes", 1, FRAME_MAX_BYTES)
    name = read_text(header, "ring", RING_NAME_MAX_CHARS)
    reference = RingReference(
        check_ring_name(name) if name else "",
        read_int(header, "ring_generation"),
        read_int(header, "ring_slot", 0, RING_SLOTS_MAX - 1),
        read_int(header, "ring_lock"),
    )
    if name and (reference.lock % 2 or not reference.lock or not reference.generation):
        raise WireError("out_of_range", "a slot that is not complete, or a ring without generation")
    return FrameNotice(header, reference)
