"""How often something really happens."""

from __future__ import annotations

from collections import deque

BEATS_MAX = 256
WINDOW_S = 2.0

_NS_PER_S = 1_000_000_000


class RateMeter:
    """Counts beats over the last two seconds, at most 256 of them. Times are monotonic nanoseconds."""

    def __init__(self) -> None:
        self._beats_ns: deque[int] = deque(maxlen=BEATS_MAX)

    def beat(self, now_ns: int) -> None:
        """It happened now."""
        self._beats_ns.append(now_ns)

    def rate_hz(self, now_ns: int) -> float:
        """Beats a second; 0.0 after two seconds without one."""
        recent = [beat_ns for beat_ns in self._beats_ns if now_ns - beat_ns < WINDOW_S * _NS_PER_S]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * _NS_PER_S / (recent[-1] - recent[0])
