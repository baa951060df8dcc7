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

from zbus.errors import TransportError
from zbus.transport._resource import Resource, to_ms

Callback = Callable[[], None]
Watched = zmq.Socket[bytes] | int

IDLE_MAX_S = 60.0
SOON_MAX = 10_000
# Cancelled timers are thrown out once there are this many and twice as many as there were last time.
TIMERS_KEPT = 64


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
    used from other threads or from signal handlers. `run` opens it where that was not done.
    """

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._callbacks: dict[Any, Callback] = {}
        self._timers: list[Timer] = []
        self._timers_max = TIMERS_KEPT
        self._order = itertools.count()
        self._soon: deque[Callback] = deque()
        self._wake_out: _socket.socket | None = None
        self._wake_in: _socket.socket | None = None
        self._stopping = False

    def open(self) -> None:
        """Make the channel by which other threads wake it. Safe to call twice."""
        if self._wake_out is not None:
            return
        self._wake_out, wake_in = _socket.socketpair()
        self._wake_out.setblocking(False)
        wake_in.setblocking(False)
        self.watch(self._wake_out.fileno(), self._drain_wakes)
        self._wake_in = wake_in

    def close(self) -> None:
        """Give the wake-up channel back. Safe to call twice."""
        wake_in, self._wake_in = self._wake_in, None
        if self._wake_out is not None and wake_in is not None:
            self.unwatch(self._wake_out.fileno())
            self._wake_out.close()
            wake_in.close()
            self._wake_out = None

    def watch(self, watched: Watched, callback: Callback) -> None:
        """Call back while `watched`, a socket or a file descriptor, has something to read."""
        self._poller.register(watched, zmq.POLLIN)
        self._callbacks[watched] = callback

    def unwatch(self, watched: Watched) -> None:
        """Stop watching. To be done before `watched` is closed."""
        self._poller.unregister(watched)
        del self._callbacks[watched]

    def every(self, period_s: float, callback: Callback, *, first_s: float | None = None) -> Timer:
        """Call back each `period_s`, for the first time after `first_s` (default: one period).

        Beats that were missed are not made up for: the next one comes when it would have come.
        """
        if not period_s > 0:
            raise ValueError(f"a period of {period_s} s")
        return self._add(Timer(self._in(period_s if first_s is None else first_s), 0, callback, period_s))

    def after(self, delay_s: float, callback: Callback) -> Timer:
        """Call back once, `delay_s` from now."""
        return self._add(Timer(self._in(delay_s), 0, callback))

    def call_soon(self, callback: Callback) -> None:
        """Call back in the loop's thread as soon as it is free. From any thread.

        Raises TransportError where SOON_MAX callbacks wait already: the loop hangs or does not keep up.
        """
        if len(self._soon) >= SOON_MAX:
            raise TransportError(
                f"{SOON_MAX} callbacks wait for a loop that does not come to them",
                next_step="find what holds the loop, or hand over less often",
            )
        self._soon.append(callback)
        self.wake()

    def wake(self) -> None:
        """End the present wait. From any thread."""
        wake_in = self._wake_in
        try:
            if wake_in is not None:
                wake_in.send(b"\0")
        except OSError:
            # Why: a full channel is a wake-up that is already on its way, a closed one a loop that ended.
            return

    def stop(self) -> None:
        """End `run` after the present callback. From any thread or signal handler."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Run until `stop`. Raises what a callback raises."""
        self.open()
        while not self._stopping:
            self.run_once()

    def run_once(self, timeout_s: float = IDLE_MAX_S) -> None:
        """Wait for what comes first, at most `timeout_s`, and call back for all that is ready."""
        self.open()
        for ready, _ in self._poller.poll(self._wait_ms(timeout_s)):
            callback = self._callbacks.get(ready)
            if callback is not None and not self._stopping:
                callback()
        self._run_soon()
        self._run_timers()

    @property
    def stopping(self) -> bool:
        """True once `stop` was called."""
        return self._stopping

    def _in(self, delay_s: float) -> float:
        return time.monotonic() + delay_s

    def _add(self, timer: Timer) -> Timer:
        if len(self._timers) >= self._timers_max:
            self._timers = [kept for kept in self._timers if not kept.cancelled]
            heapq.heapify(self._timers)
            self._timers_max = max(TIMERS_KEPT, 2 * len(self._timers))
        timer._order = next(self._order)  # pyright: ignore[reportPrivateUsage]
        heapq.heappush(self._timers, timer)
        return timer

    def _wait_ms(self, timeout_s: float) -> int:
        if self._soon or self._stopping:
            return 0
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
                missed = (now_s - timer.due_s) // timer.period_s
                timer.due_s += (missed + 1) * timer.period_s
                self._add(timer)
            timer.callback()

    def _run_soon(self) -> None:
        for _ in range(len(self._soon)):
            if self._stopping:
                return
            self._soon.popleft()()

    def _drain_wakes(self) -> None:
        if self._wake_out is not None:
            try:
                self._wake_out.recv(4096)
            except BlockingIOError:
                return
