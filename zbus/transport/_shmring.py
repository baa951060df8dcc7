"""A ring of shared memory: one process writes pixels into its slots, others read them there (spec 9)."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zbus.transport._board import BoardWriter
from zbus.transport._fence import fence
from zbus.transport._lending import Lending, address_of
from zbus.transport._resource import Resource
from zbus.transport._ring_file import SHARED_MEMORY, RingFile, make_ring_file
from zbus.wire import Buffer, RingReference

# So many slots are never on loan: one for `copy_in` to write, one that can be read meanwhile.
SLOTS_KEPT = 2
SLOTS_MIN = 4


class RingWriter(Resource):
    """Makes a ring of `slots` slots for up to `payload_max` bytes each, and removes it when closed.

    A slot is had by `loan`, filled, and shown to readers by `commit`; `copy_in` does all of it for pixels
    that lie elsewhere. Nothing ever waits: the slot written longest ago is written over. A slot is not used
    again while anything of this process still looks at its array, so that what was loaned and then dropped
    comes back by itself. Any thread may call anything. It is opened once.
    """

    def __init__(self, camera: str, slots: int, payload_max: int, folder: Path | None = None) -> None:
        if slots < SLOTS_MIN:
            raise ValueError(f"a ring has at least {SLOTS_MIN} slots, not {slots}")
        self.slots, self.payload_max = slots, payload_max
        self.name = ""
        self._camera, self._folder = camera, folder
        self._turn = threading.Lock()
        self._memory: _Memory | None = None
        self._writes = itertools.count(1)
        self._free = deque(range(slots))
        self._on_loan: dict[int, int] = {}
        self._lending = Lending(self._take_back)

    def open(self) -> None:
        """Make the file. Raises TransportError where there is no room for it."""
        if self.name:
            raise RuntimeError("a ring is opened once")
        made = make_ring_file(self._camera, self.slots, self.payload_max, self._folder)
        self.name, self._memory = made.name, _Memory(made)

    def close(self) -> None:
        """Remove the file; what readers have mapped and arrays on loan stay. Safe to call twice."""
        with self._turn:
            memory, self._memory = self._memory, None
            self._on_loan.clear()
        if memory is not None:
            memory.give_up()
            ((self._folder or SHARED_MEMORY) / self.name).unlink(missing_ok=True)

    def loan(self, nbytes: int) -> NDArray[np.uint8] | None:
        """A writable array of `nbytes` in a slot that nobody may read from now on, until `commit`.

        None where the slots that are left are kept for others, or where it does not fit.
        """
        with self._turn:
            if self._memory is None or len(self._free) <= SLOTS_KEPT or nbytes > self.payload_max:
                return None
            slot = self._free.popleft()
            self._on_loan[slot] = write = next(self._writes)
            self._memory.begin(slot, write)
            return self._lending.lend(slot, self._memory.pixels(slot, nbytes))

    def commit(self, data: Buffer) -> RingReference | None:
        """Show the loaned slot that `data` begins in to readers; None where it is not the start of one.

        The slot must not be written to afterwards. May be called again for the same data.
        """
        memory = self._memory
        slot = None if memory is None else memory.slot_at(data)
        write = None if slot is None else self._on_loan.get(slot)
        if memory is None or slot is None or write is None:
            return None
        return memory.finish(slot, write)

    def copy_in(self, data: Buffer) -> RingReference | None:
        """Copy pixels into a slot and show it; None where they do not fit, or the ring is closed."""
        source = np.frombuffer(data, np.uint8)
        with self._turn:
            if self._memory is None or source.nbytes > self.payload_max or not self._free:
                return None
            slot, write = self._free.popleft(), next(self._writes)
            self._memory.begin(slot, write)
            np.copyto(np.frombuffer(self._memory.pixels(slot, source.nbytes), np.uint8), source)
            reference = self._memory.finish(slot, write)
            self._free.append(slot)
        return reference

    def show(self, notice: bytes) -> bool:
        """Put a notice on the board and wake who waits there; false where it has no place on it."""
        memory = self._memory
        return memory is not None and memory.board is not None and memory.board.show(notice)

    def owns(self, data: Buffer) -> bool:
        """True where `data` lies in this ring's memory."""
        memory = self._memory
        return memory is not None and memory.holds(data)

    def _take_back(self, slot: int) -> None:
        """A slot that nobody of this process looks at any more. Why no lock: this thread may have it."""
        memory, write = self._memory, self._on_loan.pop(slot, None)
        if memory is None or write is None:
            return
        # Why first in line: what was never shown is of no use to anybody.
        (self._free.append if memory.is_shown(slot, write) else self._free.appendleft)(slot)


class _Memory:
    """The mapped ring, its slots and their locks: that of write n is 2n - 1 during it, and 2n after it."""

    def __init__(self, file: RingFile) -> None:
        self._name, self._header = file.name, file.header
        self._bytes = memoryview(file.memory)
        self._locks = self._bytes.cast("Q")
        self._address = address_of(self._bytes)[0]
        self.board = BoardWriter(self._bytes, file.header) if file.header.board_entries else None

    def give_up(self) -> None:
        """Wake who waits for more, to look elsewhere."""
        if self.board is not None:
            self.board.ring()

    def pixels(self, slot: int, nbytes: int) -> memoryview:
        start = self._place(slot) + self._header.slot_header_bytes
        return self._bytes[start : start + nbytes]

    def begin(self, slot: int, write: int) -> None:
        self._locks[self._place(slot) // 8] = 2 * write - 1
        fence()

    def finish(self, slot: int, write: int) -> RingReference:
        fence()
        self._locks[self._place(slot) // 8] = 2 * write
        return RingReference(self._name, self._header.generation, slot, 2 * write)

    def is_shown(self, slot: int, write: int) -> bool:
        return self._locks[self._place(slot) // 8] == 2 * write

    def slot_at(self, data: Buffer) -> int | None:
        """The slot whose pixels begin where `data` does."""
        header = self._header
        slot, beyond = divmod(address_of(data)[0] - self._address - header.header_bytes, header.slot_stride)
        return slot if 0 <= slot < header.slot_count and beyond == header.slot_header_bytes else None

    def holds(self, data: Buffer) -> bool:
        return 0 <= address_of(data)[0] - self._address < self._header.file_bytes

    def _place(self, slot: int) -> int:
        return self._header.header_bytes + slot * self._header.slot_stride
