"""How many messages may be on their way at once: few enough that none of them waits. Holds no clock."""

from __future__ import annotations

from collections import deque

FIRST_SIZE = 2
SIZE_MAX = 32
FRAMES_MAX_BYTES = 67_108_864
# A round trip that is longer than the shortest by more than this has waited on the way.
SLACK_NS = 30_000_000
# The shortest round trip is that of the last one or two of these.
EPISODE_NS = 5_000_000_000


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
    newer. The shortest round trip tells what the way takes when nothing waits on it (as TCP Vegas does).
    """

    def __init__(self) -> None:
        super().__init__(FIRST_SIZE, FRAMES_MAX_BYTES)
        self.was_full = False
        self._episode_ns = 0
        self._shortest_ns = self._former_ns = 0
        self._changed_ns = 0
        self._stale = 0

    def note_taken(self, count: int, stale: int, now_ns: int) -> None:
        """`count` were taken in all, `stale` of them too late: see how the way is, and fit the size to it."""
        for trip_ns in self.take(count, now_ns):
            self._fit(trip_ns, now_ns)
        if stale > self._stale:
            self._set(self.size // 2, now_ns)
        self._stale = max(self._stale, stale)

    def _fit(self, trip_ns: int, now_ns: int) -> None:
        shortest_ns = self._note_trip(trip_ns, now_ns)
        if now_ns - self._changed_ns < shortest_ns:
            # Why: what comes back now was sent before the last change.
            return
        if trip_ns > shortest_ns + shortest_ns // 2 + SLACK_NS:
            self._set(self.size - 1, now_ns)
        elif self.was_full and trip_ns < shortest_ns + shortest_ns // 4 + SLACK_NS // 2:
            self._set(self.size + 1, now_ns)

    def _set(self, size: int, now_ns: int) -> None:
        self.size = min(max(1, size), SIZE_MAX)
        self._changed_ns = now_ns
        self.was_full = False

    def _note_trip(self, trip_ns: int, now_ns: int) -> int:
        if now_ns - self._episode_ns > EPISODE_NS:
            self._episode_ns, self._former_ns, self._shortest_ns = now_ns, self._shortest_ns, trip_ns
        self._shortest_ns = min(self._shortest_ns, trip_ns)
        return min(self._shortest_ns, self._former_ns or self._shortest_ns)
