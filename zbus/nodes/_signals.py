"""SIGINT and SIGTERM end a node cleanly; a second one ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


def on_stop_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at the first SIGINT or SIGTERM; a second ends the process. Main thread only."""

    def handle(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
