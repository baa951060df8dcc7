"""Tells when the wall clock of this host is set, and when the host slept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from zbus.transport import ClockReading, ClockStep, ClockWatch, Suspend, read_clocks

log = logging.getLogger(__name__)

Tell = Callable[[str, Mapping[str, Any]], None]


class HostClock:
    """Watches the clocks of `host` at each `look`, and tells what happened to them as events (spec 6)."""

    def __init__(self, host: str, tell: Tell, read: Callable[[], ClockReading] = read_clocks) -> None:
        self._host, self._tell, self._read = host, tell, read
        self._watch = ClockWatch(read())

    def look(self) -> None:
        """Read the clocks and tell what happened since the last look."""
        for found in self._watch.observe(self._read()):
            event, fields = _describe(found)
            log.warning("%s on %s: %s", event, self._host, fields)
            self._tell(event, {"host": self._host, **fields})

    @property
    def counters(self) -> Mapping[str, int]:
        """As they stand in the broker's state."""
        return {"clock_steps": self._watch.steps, "suspends": self._watch.suspends}


def _describe(found: ClockStep | Suspend) -> tuple[str, dict[str, int]]:
    clocks = {"mono_ns": found.mono_ns, "utc_ns": found.utc_ns}
    if isinstance(found, ClockStep):
        return "clock_step", {"step_ns": found.step_ns, **clocks}
    return "host_suspended", {"suspended_ns": found.suspended_ns, **clocks}
