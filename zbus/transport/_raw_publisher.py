"""Publishing in a foreign protocol: its parts as they are, without topic, header or numbers of ours."""

from __future__ import annotations

from collections.abc import Sequence

import zmq

from zbus.transport._endpoints import bind
from zbus.transport._interest import Interest
from zbus.transport._options import FRAMES_OUT, Link
from zbus.transport._own_socket import OwnSocket
from zbus.transport._parts import count_bytes, send_parts
from zbus.transport._publisher import PublisherCounters
from zbus.transport._resource import Resource
from zbus.wire import Buffer


class RawPublisher(Resource):
    """Sends foreign messages to whoever connects and subscribes; a SUB of any age sees an ordinary PUB.

    Acquires in `with`; belongs to the thread that opened it. A subscriber that does not keep up misses
    messages, holds at most `link.depth` of them here, and costs the others nothing.
    """

    def __init__(self, endpoint: str, *, link: Link = FRAMES_OUT, insecure: bool = False) -> None:
        self._wanted_endpoint, self._link, self._insecure = endpoint, link, insecure
        self._own = OwnSocket("publisher")
        self._interest = Interest()
        self.endpoint = ""
        self.counters = PublisherCounters()

    def open(self) -> None:
        """Bind; `endpoint` then tells the port taken. Raises AddressInUse, ExposedAddress, TransportError."""
        socket = self._own.open(zmq.XPUB, self._link)
        try:
            self.endpoint = bind(socket, self._wanted_endpoint, insecure=self._insecure)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unbind; what is unsent is lost. Safe to call twice."""
        self._own.close()
        self._interest = Interest()

    @property
    def is_wanted(self) -> bool:
        """True while anybody subscribes to anything: without that a message need not even be made."""
        self._interest.read(self._own.get())
        return self._interest.is_any

    def send(self, parts: Sequence[Buffer]) -> bool:
        """Send one message now, without ever waiting. False where it was dropped, and counted.

        A large part is not copied: its buffer must not be written to afterwards.
        """
        socket = self._own.get()
        self._interest.read(socket)
        if not send_parts(socket, parts):
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        self.counters.sent_bytes += count_bytes(parts)
        return True
