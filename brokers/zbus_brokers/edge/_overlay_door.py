"""Where other computers draw: what is small enough and allowed goes on to the overlay door."""

from __future__ import annotations

from contextlib import ExitStack

import zmq

from zbus.transport import (
    DOOR,
    PUSH,
    Reactor,
    Resource,
    ServerLock,
    connect,
    make_socket,
    recv_frames,
    send_parts,
)
from zbus_brokers.edge._guests import Guests
from zbus_brokers.edge._outer import Outer

TAKE_MAX = 64


class OverlayDoor(Resource):
    """Drawings of one part of at most 64 KiB, of keys that may draw, go on to the overlay node's own door."""

    def __init__(
        self, place: str, overlays: str, reactor: Reactor, lock: ServerLock | None, guests: Guests
    ) -> None:
        self._overlays, self._guests = overlays, guests
        self.outer = Outer(zmq.PULL, DOOR, place, reactor, lock, lambda socket: None)
        self.outer.on_readable = self._take
        self._undo = ExitStack()
        self.counters = {"overlays_in": 0, "overlays_refused": 0, "overlays_dropped": 0}

    def open(self) -> None:
        """Bind, and connect to the overlay node. Raises AddressInUse, TransportError."""
        with ExitStack() as undo:
            self._inner = make_socket(zmq.PUSH, PUSH)
            undo.callback(self._inner.close, linger=0)
            connect(self._inner, self._overlays)
            undo.enter_context(self.outer)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind and disconnect. Safe to call twice."""
        self._undo.close()

    def _take(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self.outer.socket)
            if frames is None:
                return
            guest = self._guests.find(frames[0])
            if guest is None or not guest.rights.overlay:
                self._guests.refuse(guest, "draw")
            elif len(frames) != 1:
                self.counters["overlays_refused"] += 1
            else:
                is_sent = send_parts(self._inner, frames)
                self.counters["overlays_in" if is_sent else "overlays_dropped"] += 1
