"""Publishing in a foreign protocol: its parts as they are, without topic, header or numbers of ours."""

from __future__ import annotations

from collections.abc import Sequence

import zmq

from zbus.transport._context import make_socket
from zbus.transport._endpoints import bind
from zbus.transport._options import FRAMES_OUT, Link
from zbus.transport._publisher import PublisherCounters
from zbus.transport._resource import Resource
from zbus.wire import Buffer

NOTICES_MAX = 256


class RawPublisher(Resource):
    """Sends foreign messages to whoever connects and subscribes; a SUB of any age sees an ordinary PUB.

    Acquires in `with`; belongs to the thread that opened it. A subscriber that does not keep up misses
    messages, holds at most `link.depth` of them here, and costs the others nothing.
    """

    def __init__(self, endpoint: str, *, link: Link = FRAMES_OUT, insecure: bool = False) -> None:
        self._wanted_endpoint, self._link, self._insecure = endpoint, link, insecure
        self._socket: zmq.Socket[bytes] | None = None
        self._wanted = 0
        self.endpoint = ""
        self.counters = PublisherCounters()

    def open(self) -> None:
        """Bind; `endpoint` then tells the port taken. Raises AddressInUse, ExposedAddress, TransportError."""
        self._socket = make_socket(zmq.XPUB, self._link)
        try:
            self.endpoint = bind(self._socket, self._wanted_endpoint, insecure=self._insecure)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unbind; what is unsent is lost. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def is_wanted(self) -> bool:
        """True while anybody subscribes to anything: without that a message need not even be made."""
        self._read_subscriptions()
        return self._wanted > 0

    def send(self, parts: Sequence[Buffer]) -> bool:
        """Send one message now, without ever waiting. False where it was dropped, and counted.

        A large part is not copied: its buffer must not be written to afterwards.
        """
        # Why: this also has the socket look at what subscribers have taken, see Publisher.send.
        self._read_subscriptions()
        try:
            self._opened().send_multipart(parts, flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        self.counters.sent_bytes += sum(memoryview(part).nbytes for part in parts)
        return True

    def _read_subscriptions(self) -> None:
        socket = self._opened()
        for _ in range(NOTICES_MAX):
            if not int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            notice = socket.recv()[:1]
            self._wanted += {b"\x01": 1, b"\x00": -1}.get(notice, 0)

    def _opened(self) -> zmq.Socket[bytes]:
        if self._socket is None:
            raise RuntimeError("the publisher is not open: use it in a with statement")
        return self._socket
