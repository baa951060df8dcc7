"""A publisher's side of a ring: made when there is something to put in, and again for larger pictures."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike, NDArray

from zbus.errors import TransportError
from zbus.transport._ring_file import free_bytes, has_ring
from zbus.transport._shmring import SLOTS_MIN, RingWriter
from zbus.wire import (
    FRAME_MAX_BYTES,
    NO_RING,
    RING_ENTRIES_MIN,
    RING_ENTRY_BYTES,
    RING_HEADER_BYTES,
    Buffer,
    RingReference,
    slot_stride,
)

RATE_HZ = 100.0
RATE_MAX_HZ = 100_000.0
RING_MAX_BYTES = 268_435_456
SLOTS_MAX = 1_024
# Of what shared memory has free, a ring takes at most this part: others need some too.
FREE_SHARE = 0.5
RETRY_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RingPlan:
    """How large a ring may be: pictures of `seconds` at `rate_hz`, in at most `max_bytes`.

    It takes half of what shared memory has free at most, and has 4 slots at least; where these do not fit
    there is no ring, and pixels go inline.
    """

    seconds: float = 1.0
    rate_hz: float = RATE_HZ
    max_bytes: int = RING_MAX_BYTES

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 3600 or not 0 < self.rate_hz <= RATE_MAX_HZ:
            raise ValueError("seconds and rate_hz must be above 0, and seconds at most 3600")
        if not self.max_bytes > 0:
            raise ValueError("max_bytes must be above 0")

    def slots(self, payload_max: int, free: int) -> int:
        """How many slots there is room for where `free` bytes are; less than SLOTS_MIN is none at all."""
        wanted = max(SLOTS_MIN, min(SLOTS_MAX, math.ceil(self.seconds * self.rate_hz)))
        room = int(min(self.max_bytes, FREE_SHARE * free)) - RING_HEADER_BYTES
        fitting = room // (slot_stride(payload_max) + RING_ENTRY_BYTES)
        if fitting < RING_ENTRIES_MIN:
            fitting = max(0, room - RING_ENTRIES_MIN * RING_ENTRY_BYTES) // slot_stride(payload_max)
        return min(wanted, fitting)


class RingOutlet:
    """The ring of one camera, as long as there is room for it. Any thread may call anything."""

    def __init__(self, camera: str, plan: RingPlan) -> None:
        self.plan = plan
        self.why = "no picture yet"
        self._camera = camera
        self._ring: RingWriter | None = None
        self._turn = threading.Lock()
        self._retry_s = 0.0
        self._is_closed = False

    @property
    def name(self) -> str:
        """The file of the ring; "" where there is none, and `why` tells the reason."""
        ring = self._ring
        return ring.name if ring else ""

    @property
    def slots(self) -> int:
        """How many slots the ring has; 0 where there is none."""
        ring = self._ring
        return ring.slots if ring else 0

    @property
    def trouble(self) -> str:
        """Why there is no ring although one was to be made; "" where all is well."""
        return self.why if self._retry_s else ""

    def expect_rate(self, rate_hz: float) -> None:
        """Make the next ring for so many pictures a second; what is no rate changes nothing."""
        if 0 < rate_hz <= RATE_MAX_HZ:
            self.plan = replace(self.plan, rate_hz=float(rate_hz))

    def loan(self, shape: Sequence[int], dtype: DTypeLike) -> NDArray[np.generic] | None:
        """A writable array in a slot; None where there is no ring, or no slot is to be had."""
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        ring = self._ring_for(nbytes)
        array = None if ring is None else ring.loan(nbytes)
        return None if array is None else array.view(dtype).reshape(shape)

    def place(self, data: Buffer) -> RingReference:
        """Show pixels to readers, copied only where they are not in a loaned slot; NO_RING where none is."""
        ring = self._ring_for(memoryview(data).nbytes)
        if ring is None:
            return NO_RING
        return ring.commit(data) or ring.copy_in(data) or NO_RING

    def show(self, notice: bytes) -> bool:
        """Put a notice on the ring's board and wake who waits there; false where that cannot be."""
        ring = self._ring
        return ring is not None and ring.show(notice)

    def owns(self, data: Buffer) -> bool:
        """True where `data` lies in a slot, which will be written over."""
        ring = self._ring
        return ring is not None and ring.owns(data)

    def close(self) -> None:
        """Remove the ring, and make no other. Safe to call twice."""
        with self._turn:
            self._is_closed = True
            self._drop()

    def _ring_for(self, nbytes: int) -> RingWriter | None:
        ring = self._ring
        if ring is not None and nbytes <= ring.payload_max:
            return ring
        with self._turn:
            if self._ring is not None and nbytes > self._ring.payload_max:
                self._drop()
            if self._ring is None and not self._is_closed and time.monotonic() >= self._retry_s:
                self._ring = self._make(nbytes)
            return self._ring

    def _make(self, nbytes: int) -> RingWriter | None:
        try:
            ring = RingWriter(self._camera, self._slots_for(nbytes), nbytes)
            ring.open()
        except TransportError as error:
            if not self._retry_s:
                _log.warning("%s: pictures go out without shared memory: %s", self._camera, error.cause)
            self.why, self._retry_s = error.cause, time.monotonic() + RETRY_S
            return None
        self.why, self._retry_s = "", 0.0
        return ring

    def _slots_for(self, nbytes: int) -> int:
        if not has_ring():
            raise TransportError("this machine has no shared memory that zbus can use")
        if not 0 < nbytes <= FRAME_MAX_BYTES:
            raise TransportError(f"{nbytes} bytes are no picture")
        free = free_bytes()
        slots = self.plan.slots(nbytes, free)
        if slots < SLOTS_MIN:
            raise TransportError(
                f"no room for {SLOTS_MIN} pictures of {nbytes / 1e6:.1f} MB in shared memory "
                f"({free / 1e6:.1f} MB free, at most {self.plan.max_bytes / 1e6:.1f} MB wanted)",
                next_step="make room there (df -h /dev/shm), or raise ring_max_bytes",
            )
        return slots

    def _drop(self) -> None:
        if self._ring is not None:
            self._ring.close()
        self._ring, self.why = None, "no picture yet"
