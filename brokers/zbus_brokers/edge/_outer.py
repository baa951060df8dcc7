"""One exposed socket of the edge: made, bound with the lock, counted, and made anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import astuple

import zmq

from zbus.transport import (
    ConnectionCounters,
    ConnectionMonitor,
    Link,
    Reactor,
    Resource,
    ServerLock,
    bind,
    can_read,
    make_socket,
    send_parts,
)

Setup = Callable[[zmq.Socket[bytes]], None]


class Outer(Resource):
    """A bound socket that calls `on_readable` in the loop of `reactor`; with `lock` only keys come in.

    Without a lock it is open to everybody. Opening it again after closing makes a new socket at the same
    place, which none of the old connections have.
    """

    def __init__(
        self, kind: int, link: Link, place: str, reactor: Reactor, lock: ServerLock | None, setup: Setup
    ) -> None:
        self._kind, self._link, self._place, self._setup = kind, link, place, setup
        self._reactor, self._lock = reactor, lock
        self._past = ConnectionCounters()
        self._now = ConnectionCounters()
        self._undo = ExitStack()
        self.on_readable: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Bind. Raises AddressInUse, TransportError."""
        with ExitStack() as undo:
            self.socket = make_socket(self._kind, self._link)
            # Why no linger: who was revoked gets nothing more.
            undo.callback(self.socket.close, linger=0)
            self._setup(self.socket)
            monitor = self._monitor = undo.enter_context(ConnectionMonitor(self.socket))
            endpoint = bind(self.socket, self._place, insecure=self._lock is None, lock=self._lock)
            undo.callback(self._unbind, endpoint)
            for socket, callback in ((self.socket, self._read), (monitor.socket, monitor.read)):
                self._reactor.watch(socket, callback)
                undo.callback(self._reactor.unwatch, socket)
            undo.callback(self._keep_counters)
            self._now = monitor.counters
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind, and end every connection. Safe to call twice."""
        self._undo.close()

    @property
    def is_deserted(self) -> bool:
        """True where nobody is connected, and nothing of somebody waits to be read."""
        if not self.is_open:
            return False
        # Why read here: a connection is told before anything that comes over it.
        self._monitor.read()
        live = self._now.connected - self._now.disconnected
        return live <= 0 and not can_read(self.socket)

    @property
    def is_open(self) -> bool:
        """False while it is made anew."""
        return not self.socket.closed

    def send(self, parts: Sequence[bytes | zmq.Frame]) -> bool:
        """Send one message now; False where it was dropped."""
        if not self.is_open:
            return False
        # Why: asking for events makes libzmq notice at once what its peers have taken.
        can_read(self.socket)
        return send_parts(self.socket, parts)

    @property
    def counters(self) -> ConnectionCounters:
        """Connections since the first opening."""
        return ConnectionCounters(*map(sum, zip(astuple(self._past), astuple(self._now), strict=True)))

    def _read(self) -> None:
        self.on_readable()

    def _keep_counters(self) -> None:
        self._past, self._now = self.counters, ConnectionCounters()

    def _unbind(self, endpoint: str) -> None:
        # Why: closing alone gives the port back some time later.
        self.socket.unbind(endpoint)
