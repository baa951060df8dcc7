"""Notices when this host's wall clock is set, and when the host slept."""

from __future__ import annotations

import time
from dataclasses import dataclass

# Why not less: a process that waits for its turn between two readings makes them seem this far apart.
STEP_MIN_NS = 20_000_000
SUSPEND_MIN_NS = 20_000_000
CLOCK_WATCH_PERIOD_S = 0.5
READ_TRIES = 5


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Three clocks at one instant; `boot_ns` is the monotonic one that also counts while the host sleeps."""

    mono_ns: int
    utc_ns: int
    boot_ns: int


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock was set by `step_ns`, forward where that is above 0; then its clocks after it."""

    step_ns: int
    mono_ns: int
    utc_ns: int


@dataclass(frozen=True, slots=True)
class Suspend:
    """The host slept for `suspended_ns`, while its monotonic clock stood still; the clocks after it."""

    suspended_ns: int
    mono_ns: int
    utc_ns: int


class ClockWatch:
    """Compares readings of this host's clocks, which are handed in. One per host; the broker has it.

    Slewing the wall clock is no step: the monotonic clock is slewed with it. Steps too small to be told add
    up until they are not. `steps` and `suspends` count what was told.
    """

    def __init__(self, first: ClockReading) -> None:
        self._known = first
        self.steps = 0
        self.suspends = 0

    def observe(self, now: ClockReading) -> list[ClockStep | Suspend]:
        """What happened since it was told last."""
        found: list[ClockStep | Suspend] = []
        # Why against the clock that counts while the host sleeps: waking up sets no clock.
        step_ns = (now.utc_ns - now.boot_ns) - (self._known.utc_ns - self._known.boot_ns)
        suspended_ns = (now.boot_ns - now.mono_ns) - (self._known.boot_ns - self._known.mono_ns)
        if suspended_ns >= SUSPEND_MIN_NS:
            self.suspends += 1
            found.append(Suspend(suspended_ns, now.mono_ns, now.utc_ns))
        if abs(step_ns) >= STEP_MIN_NS:
            self.steps += 1
            found.append(ClockStep(step_ns, now.mono_ns, now.utc_ns))
        if found:
            self._known = now
        return found


def read_clocks() -> ClockReading:
    """This host's clocks, read as close together as READ_TRIES allow; the monotonic one before and after."""
    return min((_read() for _ in range(READ_TRIES)), key=lambda each: each[0])[1]


def _read() -> tuple[int, ClockReading]:
    before_ns = time.monotonic_ns()
    utc_ns, boot_ns = time.time_ns(), _boot_ns()
    after_ns = time.monotonic_ns()
    return after_ns - before_ns, ClockReading((before_ns + after_ns) // 2, utc_ns, boot_ns)


def _boot_ns() -> int:
    # Why: only Linux has it; elsewhere waking up looks as if the wall clock had been set.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)
