"""Where other computers subscribe from: each hears what its key allows, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import zmq

from zbus.transport import (
    EDGE_OUT,
    FORWARD_IN,
    Reactor,
    Resource,
    ServerLock,
    connect,
    make_socket,
    recv_frames,
)
from zbus_brokers.edge._guests import Guests
from zbus_brokers.edge._holders import Connection, Holders
from zbus_brokers.edge._outer import Outer
from zbus_brokers.edge._publish_door import RING_PREFIXES, TAKE_MAX

# No topic is longer (spec 2), so that a longer prefix matches nothing.
PREFIX_MAX_BYTES = 128
TIDY_PERIOD_S = 5.0


class SubscribeDoor(Resource):
    """Subscribers outside see a forwarder, and the broker sees one subscriber.

    A subscription that is wider than the key's rights is cut down to them: who may hear `frame/cam1/` and
    subscribes to `frame/` hears `frame/cam1/`. `on_misuse` is called where a peer sent what is no
    subscription; the socket must be made anew before it is used again.

    Why: libzmq (4.3.5, `xpub.cpp`) tells by a queue of its own whose subscription was read last, and a
    message that is none shifts that queue, so that what is granted to one would be given to another.
    """

    def __init__(
        self,
        place: str,
        broker_subscribe: str,
        reactor: Reactor,
        lock: ServerLock | None,
        guests: Guests,
        on_misuse: Callable[[], None],
    ) -> None:
        self._subscribe, self._reactor = broker_subscribe, reactor
        self._guests, self._on_misuse = guests, on_misuse
        self.outer = Outer(zmq.XPUB, EDGE_OUT, place, reactor, lock, self._begin)
        self.outer.on_readable = self._take_notices
        self._holders = Holders()
        self._inner: zmq.Socket[bytes] | None = None
        self._undo = ExitStack()
        self.counters = {
            "published_out": 0,
            "published_out_dropped": 0,
            "subscriptions": 0,
            "subscriptions_refused": 0,
            "misuses": 0,
        }

    def open(self) -> None:
        """Bind, and connect to the broker. Raises AddressInUse, TransportError."""
        with ExitStack() as undo:
            self._inner = make_socket(zmq.XSUB, FORWARD_IN)
            undo.callback(self._inner.close, linger=0)
            connect(self._inner, self._subscribe)
            undo.enter_context(self.outer)
            self._reactor.watch(self._inner, self._forward)
            undo.callback(self._reactor.unwatch, self._inner)
            undo.callback(self._reactor.every(TIDY_PERIOD_S, self._tidy).cancel)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind and disconnect. Safe to call twice."""
        self._undo.close()
        self._inner = None

    def _begin(self, socket: zmq.Socket[bytes]) -> None:
        """A new socket has no connections: what those of the last one wanted is wanted no more."""
        socket.setsockopt(zmq.XPUB_MANUAL, 1)
        self._tell_broker(b"\0", self._holders.asked)
        self._holders = Holders()

    def _tidy(self) -> None:
        """What was asked for too long, where a count was in doubt, is given back when nobody is there."""
        if len(self._holders) and self.outer.is_deserted:
            self._tell_broker(b"\0", self._holders.asked)
            self._holders = Holders()

    def _forward(self) -> None:
        assert self._inner is not None
        for _ in range(TAKE_MAX):
            frames = recv_frames(self._inner)
            if frames is None:
                return
            if frames[0].bytes.startswith(RING_PREFIXES):
                continue
            is_sent = self.outer.send(frames)
            self.counters["published_out" if is_sent else "published_out_dropped"] += 1

    def _take_notices(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self.outer.socket)
            if frames is None:
                break
            if len(frames) != 1 or frames[0].bytes[:1] not in (b"\0", b"\1"):
                self._end_misuse(frames[0])
                return
            self._take_notice(frames[0])
        self.counters["subscriptions"] = len(self._holders)

    def _end_misuse(self, part: zmq.Frame) -> None:
        self.counters["misuses"] += 1
        guest = self._guests.find(part)
        if guest is not None:
            self._guests.bar(guest)
        self._on_misuse()

    def _take_notice(self, part: zmq.Frame) -> None:
        notice = part.bytes
        wanted, connection = notice[1:], _connection(part)
        if connection is None:
            self._tell_broker(b"\0", self._holders.lose(wanted))
        elif notice[:1] == b"\1":
            self._add(connection, wanted, part)
        else:
            withdrawn, released = self._holders.remove(connection, wanted)
            for prefix in withdrawn:
                self.outer.socket.setsockopt(zmq.UNSUBSCRIBE, prefix)
            self._tell_broker(b"\0", released)

    def _add(self, connection: Connection, wanted: bytes, part: zmq.Frame) -> None:
        if wanted.startswith(RING_PREFIXES):
            # Why no word of it: who subscribes to frames asks for this too, in case it is on this machine.
            return
        guest = self._guests.find(part)
        granted = guest.rights.narrow(wanted) if guest and len(wanted) <= PREFIX_MAX_BYTES else []
        granted = [prefix for prefix in granted if not prefix.startswith(RING_PREFIXES)]
        if not granted:
            self._guests.refuse(guest, f"hear {wanted[:PREFIX_MAX_BYTES]!r}")
        elif not self._holders.has_room(connection, wanted):
            granted = []
            self._guests.refuse(guest, "hear so many topics")
        if not granted:
            self.counters["subscriptions_refused"] += 1
            return
        # Why here and at once: libzmq gives it to whose subscription was read last.
        for prefix in granted:
            self.outer.socket.setsockopt(zmq.SUBSCRIBE, prefix)
        self._tell_broker(b"\1", self._holders.add(connection, wanted, granted))

    def _tell_broker(self, sign: bytes, prefixes: list[bytes]) -> None:
        """Why each time, and not only the first: the broker then gives the last states to who comes late."""
        if self._inner is not None:
            for prefix in prefixes:
                self._inner.send(sign + prefix)


def _connection(part: zmq.Frame) -> Connection | None:
    """Which connection a notice came from; None where libzmq takes back what an ended one held."""
    try:
        descriptor = int(part.get(zmq.SRCFD))
    except zmq.ZMQError:
        return None
    try:
        return str(part.get("User-Id")), descriptor
    except zmq.ZMQError:
        return "", descriptor
