"""The forwarder: publishers connect to one address, subscribers to another, and nobody knows anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import zmq

from zbus.errors import WireError
from zbus.transport import (
    FORWARD_IN,
    FORWARD_OUT,
    SMALL_IN,
    ConnectionCounters,
    ConnectionMonitor,
    Link,
    Reactor,
    Resource,
    bind,
    can_read,
    make_socket,
    recv_frames,
    send_parts,
)
from zbus.wire import FRAME, decode_topic, header_limit
from zbus_brokers._last_value import LastValueCache

TAKE_MAX = 64

# More parts than any message of today has (3), for the versions that come.
PARTS_MAX = 16
# No topic is longer (spec 2), so that a longer prefix matches nothing.
TOPIC_MAX_BYTES = 128
PREFIXES_MAX = 16_384

# Who subscribes within this time is given the last states together, so many at a time.
REPLAY_DELAY_S = 0.02
REPLAY_BATCH = 32


@dataclass(slots=True)
class ForwarderCounters:
    """What crossed. `dropped` could not be handed to the sockets of subscribers at all; `refused` were no
    messages, or no subscriptions; `subscriptions` are the prefixes wanted now, `replayed` last states sent
    again for who came late.
    """

    forwarded: int = 0
    forwarded_bytes: int = 0
    dropped: int = 0
    refused: int = 0
    subscriptions: int = 0
    replayed: int = 0


class Forwarder(Resource):
    """Moves messages from XSUB to XPUB without reading them; subscriptions travel the other way.

    A publisher's messages cross only while somebody subscribes to them here; its states always do, and a
    new subscriber is given the last ones. Belongs to the thread of `reactor`.

    Why whoever subscribed to these states already gets them again then, with the same `seq`: libzmq can
    address one subscriber for one message only, and takes that message from all the others.
    """

    def __init__(self, publish: str, subscribe: str, reactor: Reactor, *, insecure: bool = False) -> None:
        self._wanted = (publish, subscribe)
        self._insecure = insecure
        self._reactor = reactor
        self.cache = LastValueCache()
        self.counters = ForwarderCounters()
        self.publishers, self.subscribers = ConnectionCounters(), ConnectionCounters()
        self.publish_endpoint = self.subscribe_endpoint = ""
        self._prefixes: set[bytes] = set()
        self._to_replay: dict[bytes, None] = {}
        self._undo = ExitStack()

    def open(self) -> None:
        """Bind both sides. Raises AddressInUse, ExposedAddress, TransportError."""
        with ExitStack() as undo:
            self._in, self.publishers = self._make(undo, zmq.XSUB, FORWARD_IN)
            self._out, self.subscribers = self._make(undo, zmq.XPUB, FORWARD_OUT)
            # Why: else only the first subscription to a prefix is told, and the second comes late too.
            self._out.setsockopt(zmq.XPUB_VERBOSE, 1)
            # Why: states have to be here before anybody asks for them.
            self._in.send(b"\x01" + self.cache.prefix)
            self.publish_endpoint = bind(self._in, self._wanted[0], insecure=self._insecure)
            self.subscribe_endpoint = bind(self._out, self._wanted[1], insecure=self._insecure)
            self._watch(undo, self._in, self._forward)
            self._watch(undo, self._out, self._take_subscriptions)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind. Safe to call twice."""
        self._undo.close()

    def send(self, parts: list[bytes]) -> None:
        """Send a message of the broker's own to its subscribers."""
        # Why: asking for events makes libzmq notice at once what subscribers have taken.
        self._out.getsockopt(zmq.EVENTS)
        self._out.send_multipart(parts, zmq.NOBLOCK)

    def _make(self, undo: ExitStack, kind: int, link: Link) -> tuple[zmq.Socket[bytes], ConnectionCounters]:
        socket = make_socket(kind, link)
        undo.callback(socket.close)
        monitor = undo.enter_context(ConnectionMonitor(socket))
        self._watch(undo, monitor.socket, monitor.read)
        return socket, monitor.counters

    def _watch(self, undo: ExitStack, socket: zmq.Socket[bytes], callback: Callable[[], None]) -> None:
        self._reactor.watch(socket, callback)
        undo.callback(self._reactor.unwatch, socket)

    def _forward(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self._in)
            if frames is None:
                return
            if is_message(frames):
                self._pass_on(frames)
            else:
                self.counters.refused += 1

    def _pass_on(self, frames: list[zmq.Frame]) -> None:
        nbytes = sum(map(len, frames))
        if self.cache.keeps(frames[0].bytes):
            self.cache.remember([frame.bytes for frame in frames])
        # Why: asking for events makes libzmq notice at once what subscribers have taken.
        can_read(self._out)
        if not send_parts(self._out, frames):
            self.counters.dropped += 1
            return
        self.counters.forwarded += 1
        self.counters.forwarded_bytes += nbytes

    def _take_subscriptions(self) -> None:
        for _ in range(TAKE_MAX):
            try:
                parts = self._out.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            notice = parts[0]
            # Why one part: an XSUB may send any message this way, and its second part would look the same.
            if len(parts) != 1 or notice[:1] not in (b"\0", b"\1") or len(notice) > 1 + TOPIC_MAX_BYTES:
                self.counters.refused += 1
            elif notice[:1] == b"\1":
                self._subscribe(notice)
            else:
                self._unsubscribe(notice)

    def _subscribe(self, notice: bytes) -> None:
        prefix = notice[1:]
        if prefix not in self._prefixes:
            if len(self._prefixes) >= PREFIXES_MAX:
                self.counters.refused += 1
                return
            self._prefixes.add(prefix)
            self._in.send(notice)
            self.counters.subscriptions = len(self._prefixes)
        missed = self.cache.matching(prefix)
        if missed and not self._to_replay:
            self._reactor.after(REPLAY_DELAY_S, self._replay)
        self._to_replay |= dict.fromkeys(missed)

    def _unsubscribe(self, notice: bytes) -> None:
        if notice[1:] in self._prefixes:
            self._prefixes.discard(notice[1:])
            self._in.send(notice)
            self.counters.subscriptions = len(self._prefixes)

    def _replay(self) -> None:
        """Send the last states that somebody new subscribed to, no more at once than may wait."""
        for topic in list(self._to_replay)[:REPLAY_BATCH]:
            del self._to_replay[topic]
            parts = self.cache.find(topic)
            if parts is not None:
                self.send(parts)
                self.counters.replayed += 1
        if self._to_replay:
            self._reactor.after(REPLAY_DELAY_S, self._replay)


def is_message(frames: Sequence[zmq.Frame]) -> bool:
    """True for what the spec allows to cross: topic, number of parts, and sizes."""
    if not 2 <= len(frames) <= PARTS_MAX or len(frames[0]) > TOPIC_MAX_BYTES:
        return False
    try:
        kind = decode_topic(frames[0].bytes).kind
    except WireError:
        return False
    if len(frames[1]) > header_limit(kind):
        return False
    # Why: a subscriber of small messages takes no larger part. libzmq would close its connection for one, and
    # it would hear nothing any more.
    return kind == FRAME or max(map(len, frames)) <= SMALL_IN.max_message_bytes
