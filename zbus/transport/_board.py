"""The board of a ring: the newest notices in shared memory, with a bell for who waits for them (spec 9)."""

from __future__ import annotations

from zbus.transport._bell import Bell
from zbus.transport._fence import fence
from zbus.wire import RING_BELL_AT, RING_SHOWN_AT, RingHeader

# From the start of an entry to what it says: its lock, and how long it is.
HEAD_BYTES = 16


class BoardWriter:
    """Shows notices on the board of a mapped ring, one thread at a time."""

    def __init__(self, memory: memoryview, header: RingHeader) -> None:
        self._bytes, self._words, self._lengths = memory, memory.cast("Q"), memory.cast("I")
        self._bell = Bell(memory[RING_BELL_AT:])
        self._start, self._entries = header.board_start, header.board_entries
        self._entry_bytes, self._room = header.board_entry_bytes, header.board_entry_bytes - HEAD_BYTES
        self._count = 0

    def show(self, data: bytes) -> bool:
        """Show a notice and wake who waits; false, and nothing done, where it is too large for an entry."""
        nbytes = len(data)
        if nbytes > self._room:
            return False
        words, count = self._words, self._count
        place = self._start + count % self._entries * self._entry_bytes
        self._count = count + 1
        words[place >> 3] = 2 * count + 1
        fence()
        self._lengths[(place + 8) >> 2] = nbytes
        self._bytes[place + HEAD_BYTES : place + HEAD_BYTES + nbytes] = data
        fence()
        words[place >> 3] = 2 * count + 2
        fence()
        words[RING_SHOWN_AT >> 3] = count + 1
        fence()
        self._bell.ring()
        return True

    def ring(self) -> None:
        """Wake who waits although there is nothing new: the ring is given up."""
        self._bell.ring()


class BoardReader:
    """Reads the notices of a board in order, from what comes after its making on; belongs to one thread.

    What was written over before it was read is passed over, and shows as a gap of `seq`.
    """

    def __init__(self, memory: memoryview, header: RingHeader) -> None:
        self._bytes, self._words, self._lengths = memory, memory.cast("Q"), memory.cast("I")
        self._bell = Bell(memory[RING_BELL_AT:])
        self._start, self._entries = header.board_start, header.board_entries
        self._entry_bytes, self._room = header.board_entry_bytes, header.board_entry_bytes - HEAD_BYTES
        self._next = self._words[RING_SHOWN_AT >> 3]

    @property
    def waiting(self) -> int:
        """How many notices there are to read, as the writer says."""
        return self._words[RING_SHOWN_AT >> 3] - self._next

    def read(self) -> bytes | None:
        """The next notice; None where there is none yet."""
        shown = self._words[RING_SHOWN_AT >> 3]
        if shown == self._next:
            return None
        # Why bounded: the count is a claim of another process.
        if not 0 < shown - self._next <= self._entries:
            self._next = max(0, shown - self._entries) if shown > self._next else shown
        while self._next < shown:
            self._next += 1
            data = self._entry(self._next - 1)
            if data is not None:
                return data
        return None

    def find(self, data: bytes) -> bool:
        """Go on behind the entry that says `data`; false where there is none, and nothing changes."""
        shown = self._words[RING_SHOWN_AT >> 3]
        for number in range(shown - 1, max(-1, shown - 1 - self._entries), -1):
            if self._entry(number) == data:
                self._next = number + 1
                return True
        return False

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something is shown or `timeout_s` are over; true where there is something to read.

        May return early: the ring is given up, or there was a signal.
        """
        count = self._bell.count
        # Why after it: what is shown from now on rings the bell once more.
        fence()
        if self._words[RING_SHOWN_AT >> 3] == self._next:
            self._bell.wait(count, timeout_s)
        return self._words[RING_SHOWN_AT >> 3] != self._next

    def _entry(self, number: int) -> bytes | None:
        fence()
        place = self._start + number % self._entries * self._entry_bytes
        nbytes = self._lengths[(place + 8) >> 2]
        lock = 2 * number + 2
        if nbytes > self._room or self._words[place >> 3] != lock:
            return None
        fence()
        data = bytes(self._bytes[place + HEAD_BYTES : place + HEAD_BYTES + nbytes])
        fence()
        return data if self._words[place >> 3] == lock else None
