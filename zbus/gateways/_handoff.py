"""From a pump thread into an event loop, without a queue that could grow."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from zbus.transport import Finding, Received
from zbus.wire import Frame

WAITING_MAX = 4_096

Heard = Received | Finding


class Handoff:
    """Calls `receive` in an event loop with what is `put` in any thread: in order, but of pictures only the
    newest of each camera. Beyond WAITING_MAX the oldest is dropped and counted.
    """

    def __init__(self, receive: Callable[[Heard], None]) -> None:
        self._receive = receive
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._waiting: deque[Heard] = deque()
        self._pictures: dict[str, Received] = {}
        self._is_scheduled = False
        self.dropped = 0

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver in `loop` from now on."""
        self._loop = loop

    def put(self, heard: Heard) -> None:
        """Hand over one thing. From any thread."""
        if self._loop is None:
            raise RuntimeError("the handoff is not open: there is no loop to deliver in")
        with self._lock:
            self._store(heard)
            if self._is_scheduled:
                return
            self._is_scheduled = True
        self._loop.call_soon_threadsafe(self._deliver)

    def _store(self, heard: Heard) -> None:
        if isinstance(heard, Received) and isinstance(heard.body, Frame):
            self._pictures[heard.body.camera] = heard
            return
        self._waiting.append(heard)
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1

    def _deliver(self) -> None:
        with self._lock:
            self._is_scheduled = False
            taken = [*self._waiting, *self._pictures.values()]
            self._waiting.clear()
            self._pictures.clear()
        for heard in taken:
            self._receive(heard)
