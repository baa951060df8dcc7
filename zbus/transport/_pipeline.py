"""Pushing to one door and pulling at it: overlays, and whatever else may be lost with a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import zmq

from zbus.transport._client_key import ClientKey
from zbus.transport._endpoints import bind, check_endpoint, connect
from zbus.transport._link_watch import watch_link
from zbus.transport._options import DOOR, PUSH
from zbus.transport._own_socket import OwnSocket
from zbus.transport._resource import Resource, to_ms

TAKE_MAX = 256


@dataclass(slots=True)
class PusherCounters:
    """`dropped` had no peer, or a peer that does not keep up."""

    sent: int = 0
    dropped: int = 0


class Pusher(Resource):
    """Sends single parts to one or more doors, with `key` where they are locked.

    Acquires in `with`; belongs to the thread that opened it.
    """

    def __init__(self, endpoints: str | Sequence[str], *, key: ClientKey | None = None) -> None:
        self._key = key
        self._endpoints = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        self._own = OwnSocket("pusher")
        self.counters = PusherCounters()

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        endpoints = [check_endpoint(endpoint) for endpoint in self._endpoints]
        socket = self._own.open(zmq.PUSH, PUSH)
        try:
            watch_link(socket, endpoints, self._key)
            for endpoint in endpoints:
                connect(socket, endpoint, self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect, giving what is unsent half a second to leave. Safe to call twice."""
        self._own.close()

    def send(self, data: bytes, timeout_s: float = 0.0) -> bool:
        """Send one part; False where it was dropped because no peer took it within `timeout_s`.

        The connection itself takes a moment: at once after opening there is no peer yet.
        """
        socket = self._own.get()
        try:
            if timeout_s:
                socket.poll(to_ms(timeout_s), zmq.POLLOUT)
            socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        return True


class Puller(Resource):
    """Takes in single parts from anyone who connects. Acquires in `with`; belongs to one thread."""

    def __init__(self, endpoint: str, *, insecure: bool = False) -> None:
        self._wanted, self._insecure = endpoint, insecure
        self._own = OwnSocket("puller")
        self.endpoint = ""
        self.wrong_part_count = 0

    def open(self) -> None:
        """Bind. Raises AddressInUse, ExposedAddress, TransportError."""
        socket = self._own.open(zmq.PULL, DOOR)
        try:
            self.endpoint = bind(socket, self._wanted, insecure=self._insecure)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unbind; what waits is lost. Safe to call twice."""
        self._own.close()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        return self._own.get()

    def take(self, limit: int = TAKE_MAX) -> list[bytes]:
        """What has arrived, at most `limit` messages; one with several parts is counted and thrown away."""
        socket = self._own.get()
        taken: list[bytes] = []
        for _ in range(limit):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            if len(parts) == 1:
                taken.append(parts[0])
            else:
                self.wrong_part_count += 1
        return taken
