"""One loop per process: sockets, timers and wake-ups from other threads."""

from __future__ import annotations

import heapq
import itertools
import socket as _socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zmq

from zbus.transport._resource import Resource, to_ms

Callback = Callable[[], None]
Watched = zmq.Socket[bytes] | int

IDLE_MAX_S = 60.0


@dataclass(order=True, slots=True)
class Timer:
    """A callback due at `due_s` of the monotonic clock, and again each `period_s` unless that is 0."""

    due_s: float
    _order: int
    callback: Callback = field(compare=False)
    period_s: float = field(compare=False, default=0.0)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        """Never run again."""
        self.cancelled = True


class Reactor(Resource):
    """Waits for sockets and timers and calls back, one at a time, in the thread that runs it.

    An exception of a callback ends `run` and reaches its caller. Only `wake`, `call_soon` and `stop` may be
    used from other threads or from signal handlers.
    """

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._callbacks: dict[Any, Callback] = {}
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._soon: deque[Callback] = deque()
        self._wake_out, self._wake_in = _socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._stopping = False
        self.watch(self._wake_out.fileno(), self._run_soon)

    def close(self) -> None:
        """Give the wake-up channel back. Safe to call twice."""
        self._wake_out.close()
        self._wake_in.close()

    def watch(self, watched: Watched, callback: Callback) -> None:
        """Call back while `watched`, a socket or a file descriptor, has something to read."""
        self._poller.register(watched, zmq.POLLIN)
        self._callbacks[watched] = callback

    def unwatch(self, watched: Watched) -> None:
        """Stop watching."""
        self._poller.unregister(watched)
        del self._callbacks[watched]

    def every(self, period_s: float, callback: Callback, *, first_s: float | None = None) -> Timer:
        """Call back each `period_s`, for the first time after `first_s` (default: one period).

        A beat that comes late is not made up for: the next is one period after the last was due, or now.
        """
        return self._add(Timer(self._in(period_s if first_s is None else first_s), 0, callback, period_s))

    def after(self, delay_s: float, callback: Callback) -> Timer:
        """Call back once, `delay_s` from now."""
        return self._add(Timer(self._in(delay_s), 0, callback))

    def call_soon(self, callback: Callback) -> None:
        """Call back in the loop's thread as soon as it is free. From any thread."""
        self._soon.append(callback)
        self.wake()

    def wake(self) -> None:
        """End the present wait. From any thread."""
        try:
            self._wake_in.send(b"\0")
        except (BlockingIOError, OSError):
            # Why: a full channel is a wake-up that is already on its way, a closed one a loop that ended.
            return

    def stop(self) -> None:
        """End `run` after the present callback. From any thread or signal handler."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Run until `stop`. Raises what a callback raises."""
        while not self._stopping:
            self.run_once()

    def run_once(self, timeout_s: float = IDLE_MAX_S) -> None:
        """Wait for what comes first, at most `timeout_s`, and call back for all that is ready."""
        for ready, _ in self._poller.poll(self._wait_ms(timeout_s)):
            callback = self._callbacks.get(ready)
            if callback is not None and not self._stopping:
                callback()
        self._run_timers()

    @property
    def stopping(self) -> bool:
        """True once `stop` was called."""
        return self._stopping

    def _in(self, delay_s: float) -> float:
        return time.monotonic() + delay_s

    def _add(self, timer: Timer) -> Timer:
        timer._order = next(self._order)  # pyright: ignore[reportPrivateUsage]
        heapq.heappush(self._timers, timer)
        return timer

    def _wait_ms(self, timeout_s: float) -> int:
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        wait_s = min(timeout_s, self._timers[0].due_s - time.monotonic()) if self._timers else timeout_s
        return to_ms(wait_s)

    def _run_timers(self) -> None:
        now_s = time.monotonic()
        while self._timers and self._timers[0].due_s <= now_s and not self._stopping:
            timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            if timer.period_s:
                timer.due_s = max(timer.due_s + timer.period_s, now_s)
                self._add(timer)
            timer.callback()

    def _run_soon(self) -> None:
        try:
            self._wake_out.recv(4096)
        except BlockingIOError:
            return
        for _ in range(len(self._soon)):
            self._soon.popleft()()
