"""Time in nominal frames: what a tracker counts in, whatever the camera's rate."""

from __future__ import annotations

import statistics
from collections import deque

KEPT_INTERVALS = 31
LONGEST_STEP_FRAMES = 60.0
SHORTEST_STEP_FRAMES = 0.05


class Pace:
    """Turns the times of pictures into steps of nominal frames.

    A nominal frame is the median of the last intervals, so that the same tracker settings hold at 15 Hz
    and at 500 Hz, and a picture after three lost ones is four frames on. Where no time is given, or time
    did not advance, a step is one frame.
    """

    def __init__(self) -> None:
        self._intervals_ns: deque[int] = deque(maxlen=KEPT_INTERVALS)
        self._last_ns: int | None = None

    def step(self, t_ns: int | None) -> float:
        """Nominal frames since the last picture, within SHORTEST_STEP_FRAMES and LONGEST_STEP_FRAMES."""
        last_ns, self._last_ns = self._last_ns, t_ns
        if t_ns is None or last_ns is None or t_ns <= last_ns:
            return 1.0
        self._intervals_ns.append(t_ns - last_ns)
        frames = (t_ns - last_ns) / statistics.median(self._intervals_ns)
        return min(max(frames, SHORTEST_STEP_FRAMES), LONGEST_STEP_FRAMES)
