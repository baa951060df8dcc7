"""Where other computers publish to: what their keys allow goes on to the broker."""

from __future__ import annotations

from contextlib import ExitStack

import zmq

from zbus.transport import (
    FORWARD_IN,
    FORWARD_OUT,
    Reactor,
    Resource,
    ServerLock,
    can_read,
    connect,
    make_socket,
    recv_frames,
    send_parts,
)
from zbus_brokers._forwarder import is_message
from zbus_brokers.edge._guests import Guests
from zbus_brokers.edge._outer import Outer

TAKE_MAX = 64
# What no other computer can map (spec 9).
RING_PREFIXES = (b"frame.ring/", b"frame.bell/")


class PublishDoor(Resource):
    """Publishers outside see a forwarder, and the broker sees one publisher.

    What the broker wants is told to who is outside. `counters` are messages that went in, were no messages,
    or could not be handed on.
    """

    def __init__(
        self, place: str, broker_publish: str, reactor: Reactor, lock: ServerLock | None, guests: Guests
    ) -> None:
        self._publish, self._reactor, self._guests = broker_publish, reactor, guests
        self.outer = Outer(zmq.XSUB, FORWARD_IN, place, reactor, lock, self._want_again)
        self.outer.on_readable = self._forward
        self._wanted: set[bytes] = set()
        self._undo = ExitStack()
        self.counters = {"published_in": 0, "published_in_refused": 0, "published_in_dropped": 0}

    def open(self) -> None:
        """Bind, and connect to the broker. Raises AddressInUse, TransportError."""
        with ExitStack() as undo:
            self._inner = make_socket(zmq.XPUB, FORWARD_OUT)
            undo.callback(self._inner.close, linger=0)
            connect(self._inner, self._publish)
            undo.enter_context(self.outer)
            self._reactor.watch(self._inner, self._take_wants)
            undo.callback(self._reactor.unwatch, self._inner)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind and disconnect. Safe to call twice."""
        self._undo.close()

    def _forward(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self.outer.socket)
            if frames is None:
                return
            if not is_message(frames) or frames[0].bytes.startswith(RING_PREFIXES):
                self.counters["published_in_refused"] += 1
            else:
                self._pass_on(frames)

    def _pass_on(self, frames: list[zmq.Frame]) -> None:
        topic = frames[0].bytes
        guest = self._guests.find(frames[0])
        if guest is None or not guest.rights.may_publish(topic):
            self._guests.refuse(guest, f"publish {topic.decode()}")
            return
        # Why: asking for events makes libzmq notice at once what the broker has taken.
        can_read(self._inner)
        is_sent = send_parts(self._inner, frames)
        self.counters["published_in" if is_sent else "published_in_dropped"] += 1

    def _take_wants(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self._inner)
            if frames is None:
                return
            notice = frames[0].bytes
            if len(frames) != 1 or notice[1:].startswith(RING_PREFIXES):
                continue
            if notice[:1] == b"\1":
                self._wanted.add(notice[1:])
            else:
                self._wanted.discard(notice[1:])
            if self.outer.is_open:
                # Why not waiting: to its subscriptions an XSUB sets no bound.
                self.outer.socket.send(notice)

    def _want_again(self, socket: zmq.Socket[bytes]) -> None:
        for prefix in self._wanted:
            socket.send(b"\1" + prefix)
