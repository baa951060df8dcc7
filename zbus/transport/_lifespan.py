"""Frames that are too old to be worth looking at: told by this host's own clock, or not at all."""

from __future__ import annotations

import time
from typing import Any

from zbus.wire import FRAME, Message

# Two clocks of one host agree with the frame's two this closely, unless one of them was set meanwhile.
SAME_CLOCK_NS = 1_000_000_000


class Lifespan:
    """Tells whether a frame is older than `lifespan_s`; 0 keeps everything.

    The age counts from `relayed_mono_ns` where a relay wrote it, else, with `is_local`, from `mono_ns` where
    the frame's two times show that it is this host's clock. Why so careful: an address on this machine may be
    a tunnel to another one, and a replayed frame has the times of its recording; neither is old for that.
    """

    def __init__(self, lifespan_s: float, *, is_local: bool) -> None:
        self._lifespan_ns, self.is_local = round(lifespan_s * 1e9), is_local

    def is_over(self, message: Message) -> bool:
        """True where the message is a frame of this host's clock that is too old."""
        if not self._lifespan_ns or message.topic.kind != FRAME:
            return False
        began_ns = self._began_ns(message.header)
        return began_ns is not None and time.monotonic_ns() - began_ns > self._lifespan_ns

    def _began_ns(self, header: Any) -> int | None:
        relayed_ns = header.get("relayed_mono_ns")
        if isinstance(relayed_ns, int):
            return relayed_ns
        mono_ns = header.get("mono_ns")
        # Why two: only the host's own clock can be compared with its other one; a camera's cannot.
        utc_ns = header.get("captured_ns" if header.get("clock") == "host" else "published_ns")
        if not self.is_local or not isinstance(mono_ns, int) or not isinstance(utc_ns, int):
            return None
        apart_ns = (utc_ns - mono_ns) - (time.time_ns() - time.monotonic_ns())
        return mono_ns if abs(apart_ns) < SAME_CLOCK_NS else None
