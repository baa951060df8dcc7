"""Absolute deadlines on the monotonic clock, so that a late frame does not make the next one late."""

from __future__ import annotations

import time

NS_PER_S = 1_000_000_000


class Pace:
    """Tick k is due k periods after `start`. Ticks count on through a change of rate."""

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._anchor_tick = 0
        self._anchor_ns = 0

    def start(self, tick: int = 0) -> None:
        """Make `tick` due now, and those after it one period apart."""
        self._anchor_tick, self._anchor_ns = tick, time.monotonic_ns()

    def set_rate(self, rate_hz: float, tick: int) -> None:
        """Keep when `tick` is due; those after it follow at `rate_hz`."""
        self._anchor_ns, self._anchor_tick = self.due_ns(tick), tick
        self.rate_hz = rate_hz

    def due_ns(self, tick: int) -> int:
        """When `tick` is due, on the clock of `time.monotonic_ns`."""
        return self._anchor_ns + round((tick - self._anchor_tick) * NS_PER_S / self.rate_hz)

    def newest(self) -> int:
        """The newest tick that is due by now."""
        elapsed_ns = time.monotonic_ns() - self._anchor_ns
        return self._anchor_tick + int(elapsed_ns * self.rate_hz // NS_PER_S)

    def late_s(self, tick: int) -> float:
        """For how long `tick` has been due; negative where it is still to come."""
        return (time.monotonic_ns() - self.due_ns(tick)) / NS_PER_S

    def wait(self, tick: int, timeout_s: float) -> bool:
        """Block until `tick` is due, at most `timeout_s`; false where it is still to come."""
        remaining_s = -self.late_s(tick)
        if remaining_s > 0:
            time.sleep(min(remaining_s, max(timeout_s, 0.0)))
        return remaining_s <= timeout_s


def read_clocks() -> tuple[int, int]:
    """The host's `captured_ns` (UTC) and `mono_ns`, read one after the other."""
    return time.time_ns(), time.monotonic_ns()
