"""The bounded queue between the thread that grabs and the loop that publishes."""

from __future__ import annotations

import threading
from collections import deque

from zbus.cameras._camera import Capture


class CaptureQueue:
    """At most `limit` captures; a full one drops its oldest and counts it, or waits where `lossless`."""

    def __init__(self, limit: int, lossless: bool) -> None:
        self.dropped = 0
        self._limit, self._lossless = limit, lossless
        self._captures: deque[Capture] = deque()
        self._room = threading.Condition()
        self._is_closed = False

    def put(self, capture: Capture) -> None:
        """Add `capture`. Blocks only where the queue is lossless and full, until `take_all` or `close`."""
        with self._room:
            while self._lossless and len(self._captures) >= self._limit and not self._is_closed:
                self._room.wait()
            if len(self._captures) >= self._limit:
                self._captures.popleft()
                self.dropped += 1
            self._captures.append(capture)

    def take_all(self) -> list[Capture]:
        """Everything in the queue, oldest first. Never blocks."""
        with self._room:
            taken = list(self._captures)
            self._captures.clear()
            self._room.notify_all()
            return taken

    def close(self) -> None:
        """Let a waiting `put` go."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()
