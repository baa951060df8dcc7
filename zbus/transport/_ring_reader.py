"""Reading a ring that another process writes: views of its slots, and whether they still hold the same."""

from __future__ import annotations

from pathlib import Path

from zbus.errors import WireError
from zbus.transport._bell import has_bell
from zbus.transport._board import BoardReader
from zbus.transport._fence import fence
from zbus.transport._ring_file import open_ring_file


class RingReader:
    """One mapped ring. Its memory is given back when nobody looks at it any more.

    `board` is None where the ring has none, or this process cannot wait at it.

    Raises WireError where the file is not the ring it must be, OSError where it cannot be opened: it is
    another machine's, another user's, or gone.
    """

    def __init__(self, name: str, generation: int, folder: Path | None = None) -> None:
        file = open_ring_file(name, generation, folder)
        self.name, self.generation = name, generation
        self._header = file.header
        self._bytes = memoryview(file.memory)
        self._locks = self._bytes.cast("Q")
        self.board = (
            BoardReader(self._bytes, file.header) if file.header.board_entries and has_bell() else None
        )

    def pixels(self, slot: int, nbytes: int) -> memoryview:
        """The first bytes of a slot, read-only, whatever is in it now. Raises WireError `size_mismatch`."""
        header = self._header
        if not 0 <= slot < header.slot_count or not 0 < nbytes <= header.payload_max:
            raise WireError("size_mismatch", f"{nbytes} bytes in slot {slot}")
        start = self._place(slot) + header.slot_header_bytes
        return self._bytes[start : start + nbytes]

    def holds(self, slot: int, lock: int) -> bool:
        """True while the slot holds what it held when its lock was `lock`. To be asked after its use."""
        fence()
        return self._locks[self._place(slot) // 8] == lock

    def _place(self, slot: int) -> int:
        return self._header.header_bytes + slot * self._header.slot_stride
