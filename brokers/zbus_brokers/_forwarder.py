"""The forwarder: publishers connect to one address, subscribers to another, and nobody knows anybody."""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from zbus.transport import FRAMES_IN, FRAMES_OUT, Link, Reactor, Resource, bind, make_socket
from zbus_brokers._last_value import LastValueCache

TAKE_MAX = 64

# What may wait for one subscriber: this many bytes of the largest messages lately seen, within these counts.
QUEUE_BUDGET_BYTES = 16_777_216
QUEUE_MIN, QUEUE_MAX = 4, 1_000

_PUBLISH_SIDE = Link(64, FRAMES_IN.max_message_bytes, kernel_buffer_bytes=FRAMES_IN.kernel_buffer_bytes)
_SUBSCRIBE_SIDE = Link(
    QUEUE_MAX, FRAMES_OUT.max_message_bytes, kernel_buffer_bytes=FRAMES_OUT.kernel_buffer_bytes
)


@dataclass(slots=True)
class ForwarderCounters:
    """What crossed. `dropped` could not be handed to the sockets of subscribers at all."""

    forwarded: int = 0
    forwarded_bytes: int = 0
    dropped: int = 0
    subscriptions: int = 0
    replayed: int = 0


class Forwarder(Resource):
    """Moves messages from XSUB to XPUB without reading them; subscriptions travel the other way.

    A publisher's messages cross only while somebody subscribes to them here. A new subscriber of states is
    given the last ones first. Belongs to the thread of `reactor`.
    """

    def __init__(self, publish: str, subscribe: str, reactor: Reactor, *, insecure: bool = False) -> None:
        self._wanted = (publish, subscribe)
        self._insecure = insecure
        self._reactor = reactor
        self.cache = LastValueCache()
        self.counters = ForwarderCounters()
        self.publish_endpoint = self.subscribe_endpoint = ""
        self._queue = QUEUE_MAX
        self._sockets: list[zmq.Socket[bytes]] = []

    def open(self) -> None:
        """Bind both sides. Raises AddressInUse, ExposedAddress, TransportError."""
        try:
            self._in = self._make(zmq.XSUB, _PUBLISH_SIDE)
            self.publish_endpoint = bind(self._in, self._wanted[0], insecure=self._insecure)
            self._out = self._make(zmq.XPUB, _SUBSCRIBE_SIDE)
            # Why: in this mode the message after a subscription goes to that one subscriber only.
            self._out.setsockopt(zmq.XPUB_MANUAL_LAST_VALUE, 1)
            self.subscribe_endpoint = bind(self._out, self._wanted[1], insecure=self._insecure)
        except BaseException:
            self.close()
            raise
        self._reactor.watch(self._in, self._forward)
        self._reactor.watch(self._out, self._take_subscriptions)

    def close(self) -> None:
        """Unbind. Safe to call twice."""
        for socket in reversed(self._sockets):
            socket.close()
        self._sockets.clear()

    def send(self, parts: list[bytes]) -> None:
        """Send a message of the broker's own to its subscribers."""
        self._out.send_multipart(parts, zmq.NOBLOCK)

    def _make(self, kind: int, link: Link) -> zmq.Socket[bytes]:
        socket = make_socket(kind, link)
        self._sockets.append(socket)
        return socket

    def _forward(self) -> None:
        for _ in range(TAKE_MAX):
            try:
                frames = self._in.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            nbytes = sum(map(len, frames))
            self._fit_queue(nbytes)
            topic = frames[0].bytes
            if self.cache.keeps(topic):
                self.cache.remember([frame.bytes for frame in frames])
            # Why: asking for events makes libzmq notice at once what subscribers have taken.
            self._out.getsockopt(zmq.EVENTS)
            try:
                self._out.send_multipart(frames, zmq.NOBLOCK, copy=False)
            except zmq.Again:
                self.counters.dropped += 1
                continue
            self.counters.forwarded += 1
            self.counters.forwarded_bytes += nbytes

    def _fit_queue(self, nbytes: int) -> None:
        """Let fewer messages wait for each subscriber once larger ones come by."""
        queue = max(QUEUE_MIN, min(QUEUE_MAX, QUEUE_BUDGET_BYTES // max(1, nbytes)))
        if queue < self._queue:
            self._queue = queue
            self._out.setsockopt(zmq.SNDHWM, queue)

    def _take_subscriptions(self) -> None:
        for _ in range(TAKE_MAX):
            try:
                notice = self._out.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if notice[:1] == b"\x01":
                self._subscribe(notice)
            elif notice[:1] == b"\x00":
                self._out.setsockopt(zmq.UNSUBSCRIBE, notice[1:])
                self._in.send(notice)
                self.counters.subscriptions -= 1

    def _subscribe(self, notice: bytes) -> None:
        prefix = notice[1:]
        self._out.setsockopt(zmq.SUBSCRIBE, prefix)
        self._in.send(notice)
        self.counters.subscriptions += 1
        for parts in self.cache.matching(prefix):
            # Why: each setting names the newest subscriber again, and holds for one message.
            self._out.setsockopt(zmq.SUBSCRIBE, prefix)
            self._out.send_multipart(parts, zmq.NOBLOCK)
            self.counters.replayed += 1
