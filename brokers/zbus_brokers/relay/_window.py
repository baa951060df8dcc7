"""How many messages may be on their way at once: few enough that none of them waits. Holds no clock."""

from __future__ import annotations

from collections import deque

FIRST_SIZE = 2
SIZE_MAX = 32
FRAMES_MAX_BYTES = 67_108_864
# A round trip that is longer than the shortest by more than this has waited on the way.
SLACK_NS = 30_000_000
# Of so many round trips of frames that went alone the shortest counts.
LONE_TRIPS_KEPT = 8
# So long after it shrank it does not grow.
FIRST_HOLD_NS, LAST_HOLD_NS = 125_000_000, 8_000_000_000
# A size that has held so long was right.
PROVED_NS = 1_000_000_000


class Window:
    """Counts what was sent and not taken yet; at most `size` messages and `max_bytes`, but always one.

    The other side tells how many it has taken in all, so that one word that is lost costs nothing.
    """

    def __init__(self, size: int, max_bytes: int) -> None:
        self.size, self._max_bytes = size, max_bytes
        self._open: deque[tuple[int, int]] = deque()
        self._sent = self._taken = self._nbytes = 0

    @property
    def waiting(self) -> int:
        """How many are on their way."""
        return len(self._open)

    @property
    def has_room(self) -> bool:
        """True where one more may be sent."""
        return not self._open or (len(self._open) < self.size and self._nbytes < self._max_bytes)

    def note_sent(self, nbytes: int, now_ns: int) -> None:
        """One was sent."""
        self._open.append((now_ns, nbytes))
        self._sent += 1
        self._nbytes += nbytes

    def take(self, count: int, now_ns: int) -> list[int]:
        """`count` were taken in all; returns the round trips, in ns, of those that were not known to be.

        A count that cannot be is that of somebody who counts wrong, and is not believed beyond what was sent.
        """
        trips_ns: list[int] = []
        while self._taken < min(count, self._sent):
            sent_ns, nbytes = self._open.popleft()
            self._taken += 1
            self._nbytes -= nbytes
            trips_ns.append(now_ns - sent_ns)
        return trips_ns


class FrameWindow(Window):
    """A window that grows while it holds frames up and shrinks when they wait on their way.

    Why: what waits in buffers between two hosts is old when it comes; what waits here is replaced by what is
    newer. What a round trip takes when nothing waits on it is known from frames that went alone, and from
    shorter ones; a trip that is longer has waited (as TCP Vegas does).
    """

    def __init__(self) -> None:
        super().__init__(FIRST_SIZE, FRAMES_MAX_BYTES)
        self.was_full = False
        self._alone: deque[bool] = deque()
        self._lone_trips_ns: deque[int] = deque(maxlen=LONE_TRIPS_KEPT)
        self._shortest_ns = 0
        self._changed_ns = self._grown_ns = self._shrunk_ns = 0
        self._hold_ns = FIRST_HOLD_NS
        self._stale = 0

    def note_sent(self, nbytes: int, now_ns: int) -> None:
        """One was sent."""
        self._alone.append(not self.waiting)
        super().note_sent(nbytes, now_ns)

    def note_taken(self, count: int, stale: int, now_ns: int) -> None:
        """`count` were taken in all, `stale` of them too late: see how the way is, and fit the size to it."""
        for trip_ns in self.take(count, now_ns):
            self._learn(trip_ns, self._alone.popleft())
            self._fit(trip_ns, now_ns)
        if stale > self._stale:
            self._shrink(self.size // 2, now_ns)
        self._stale = max(self._stale, stale)

    def _learn(self, trip_ns: int, was_alone: bool) -> None:
        if was_alone:
            self._lone_trips_ns.append(trip_ns)
            self._shortest_ns = min(self._lone_trips_ns)
        self._shortest_ns = min(self._shortest_ns or trip_ns, trip_ns)

    def _fit(self, trip_ns: int, now_ns: int) -> None:
        shortest_ns = self._shortest_ns
        if now_ns - trip_ns <= self._changed_ns:
            # Why: it was sent before the last change.
            return
        if trip_ns > 3 * shortest_ns + SLACK_NS:
            self._shrink(self.size // 2, now_ns)
        elif trip_ns > shortest_ns + shortest_ns // 2 + SLACK_NS:
            self._shrink(self.size - 1, now_ns)
        elif self.was_full and trip_ns < shortest_ns + shortest_ns // 4 + SLACK_NS // 2:
            self._grow(now_ns)

    def _grow(self, now_ns: int) -> None:
        if now_ns - self._shrunk_ns < self._hold_ns:
            return
        if self._grown_ns > self._shrunk_ns and now_ns - self._grown_ns > PROVED_NS:
            self._hold_ns = FIRST_HOLD_NS
        self.size = min(self.size + 1, SIZE_MAX)
        self._changed_ns = self._grown_ns = now_ns
        self.was_full = False

    def _shrink(self, size: int, now_ns: int) -> None:
        if self._grown_ns > self._shrunk_ns:
            # Why longer each time: where there is no more room, each try costs a frame or two.
            self._hold_ns = min(2 * self._hold_ns, LAST_HOLD_NS)
        self.size = max(1, size)
        self._changed_ns = self._shrunk_ns = now_ns
        self.was_full = False
