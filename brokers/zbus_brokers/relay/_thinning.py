"""A rate that is not exceeded: which frames of a topic are left out on purpose. Reads no clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Pace:
    due_ns: int = 0
    left_out: int = 0


class Thinning:
    """At most about `hz` frames a second of each topic; 0 lets all through."""

    def __init__(self, hz: float) -> None:
        self._period_ns = round(1e9 / hz) if hz else 0
        self._paces: dict[str, _Pace] = {}

    def pass_on(self, topic: str, now_ns: int) -> int | None:
        """None where this frame is to be left out; else how many were since the last that was not."""
        if not self._period_ns:
            return 0
        pace = self._paces.setdefault(topic, _Pace())
        # Why: a camera's frames do not come at the very moment.
        if now_ns < pace.due_ns - self._period_ns // 8:
            pace.left_out += 1
            return None
        is_late = now_ns - pace.due_ns > self._period_ns
        pace.due_ns = (now_ns if is_late else pace.due_ns) + self._period_ns
        left_out, pace.left_out = pace.left_out, 0
        return left_out

    def forget(self, topic: str) -> None:
        """Nobody wants this topic any more."""
        self._paces.pop(topic, None)
