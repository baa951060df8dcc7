"""Where other computers ask: what a key allows goes on to the directory, over a link for each asker."""

from __future__ import annotations

import socket as _socket
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import zmq

from zbus.errors import WireError
from zbus.transport import (
    CONTROL_LINK,
    AllowedKey,
    Reactor,
    Resource,
    ServerLock,
    connect,
    is_request,
    make_socket,
    recv_frames,
)
from zbus.wire import DIRECTORY, STATE, Reply, Request, Topic, decode_request, encode_reply, is_source_name
from zbus_brokers.edge._guests import Guests
from zbus_brokers.edge._outer import Outer

TAKE_MAX = 64
# Askers at a time, each with a link to the directory; the one longest silent makes room, and who was silent
# for so long gives it back.
ASKERS_MAX = 256
SILENT_MAX_S = 60.0
TIDY_PERIOD_S = 5.0

# What whoever is let in may ask: it changes nothing.
READING = {"nodes", "find", "endpoints", "clock"}

# Why it may wait there for a moment: the link is made for the first request of an asker.
_INNER = replace(CONTROL_LINK, depth=64, linger_ms=0, only_present=False)


@dataclass(slots=True)
class _Asker:
    link: zmq.Socket[bytes]
    key: str
    heard_s: float


class ControlDoor(Resource):
    """Askers and nodes outside see a directory, and the directory sees each of them by a link of its own.

    A node is announced where the key may publish its state and its topics. Reading what there is is free for
    every key; all else needs the right `control`.
    """

    def __init__(
        self,
        places: tuple[str, str, str, str],
        directory: str,
        reactor: Reactor,
        lock: ServerLock | None,
        guests: Guests,
    ) -> None:
        self._places, self._directory = places, directory
        self._reactor, self._guests = reactor, guests
        self.outer = Outer(zmq.ROUTER, CONTROL_LINK, places[0], reactor, lock, self._begin)
        self.outer.on_readable = self._take
        self._askers: OrderedDict[bytes, _Asker] = OrderedDict()
        self._undo = ExitStack()
        self.counters = {"control_in": 0, "control_refused": 0, "askers": 0}

    def open(self) -> None:
        """Bind. Raises AddressInUse, TransportError."""
        with ExitStack() as undo:
            undo.callback(self._forget_all)
            undo.enter_context(self.outer)
            undo.callback(self._reactor.every(TIDY_PERIOD_S, self._tidy).cancel)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind and disconnect. Safe to call twice."""
        self._undo.close()

    def _take(self) -> None:
        for _ in range(TAKE_MAX):
            frames = recv_frames(self.outer.socket)
            if frames is None:
                break
            try:
                self._handle(frames)
            except WireError:
                self.counters["control_refused"] += 1
        self.counters["askers"] = len(self._askers)

    def _handle(self, frames: list[zmq.Frame]) -> None:
        identity, parts = frames[0].bytes, [frame.bytes for frame in frames[1:]]
        guest = self._guests.find(frames[-1])
        if guest is None:
            self._guests.refuse(guest, "ask")
        elif not self._guests.may_ask_now(guest):
            # Why without an answer: to write one costs more than to ask. Who asks as we do asks again.
            self._guests.refuse(guest, "ask so much")
        elif len(parts) == 3:
            # An answer of a node to what came over its own link; the directory knows by the route.
            self._carry(identity, guest, parts)
        elif len(parts) == 2 and is_request(parts):
            self._ask(identity, guest, parts)
        else:
            raise WireError("wrong_part_count", f"{len(parts)} parts, neither a request nor a node's reply")

    def _ask(self, identity: bytes, guest: AllowedKey, parts: list[bytes]) -> None:
        request = decode_request(parts)
        if not _may_ask(guest, request):
            self._guests.refuse(guest, f"ask {request.target} to {request.verb}")
            self._answer(identity, _no_right(guest, request))
        elif request.target == DIRECTORY and request.verb == "endpoints":
            self._answer(identity, Reply(request.request_id, DIRECTORY, self._endpoints()))
        else:
            self._carry(identity, guest, parts)

    def _carry(self, identity: bytes, guest: AllowedKey, parts: list[bytes]) -> None:
        asker = self._askers.get(identity)
        if asker is not None and asker.key != guest.public:
            # Why: whoever chose the name of another must not get its answers.
            self._forget(identity)
            asker = None
        if asker is None:
            asker = self._add(identity, guest)
        asker.heard_s = time.monotonic()
        self._askers.move_to_end(identity)
        try:
            asker.link.send_multipart(parts, zmq.NOBLOCK)
            self.counters["control_in"] += 1
        except zmq.Again:
            self.counters["control_refused"] += 1

    def _add(self, identity: bytes, guest: AllowedKey) -> _Asker:
        if len(self._askers) >= ASKERS_MAX:
            self._forget(next(iter(self._askers)))
        link = make_socket(zmq.DEALER, _INNER)
        connect(link, self._directory)
        self._reactor.watch(link, lambda: self._carry_back(identity, link))
        self._askers[identity] = _Asker(link, guest.public, time.monotonic())
        return self._askers[identity]

    def _carry_back(self, identity: bytes, link: zmq.Socket[bytes]) -> None:
        for _ in range(TAKE_MAX):
            try:
                parts = link.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._send([identity, *parts])

    def _answer(self, identity: bytes, reply: Reply) -> None:
        self._send([identity, *(bytes(part) for part in encode_reply(reply))])

    def _send(self, parts: list[bytes]) -> None:
        if not self.outer.send(parts):
            self.counters["control_refused"] += 1

    def _endpoints(self) -> dict[str, str]:
        """Where each of this edge's doors is, for who is outside."""
        names = ("directory", "publish", "subscribe", "overlays")
        return {name: _outside(place) for name, place in zip(names, self._places, strict=True)}

    def _tidy(self) -> None:
        now_s = time.monotonic()
        for identity, asker in list(self._askers.items()):
            if now_s - asker.heard_s <= SILENT_MAX_S:
                return
            self._forget(identity)

    def _forget(self, identity: bytes) -> None:
        link = self._askers.pop(identity).link
        self._reactor.unwatch(link)
        link.close(linger=0)

    def _begin(self, socket: zmq.Socket[bytes]) -> None:
        """A new socket has no connections, and nobody behind the links of the last one."""
        self._forget_all()

    def _forget_all(self) -> None:
        for identity in list(self._askers):
            self._forget(identity)


def _may_ask(guest: AllowedKey, request: Request) -> bool:
    if guest.rights.control and request.verb not in ("announce", "leave"):
        return True
    if request.target != DIRECTORY:
        return request.verb == "status"
    if request.verb in ("announce", "leave"):
        return _may_be_node(guest, request.args)
    return request.verb in READING


def _may_be_node(guest: AllowedKey, args: Mapping[str, Any]) -> bool:
    """True where a key may publish the state of the node that it says it is, and all its topics."""
    node, topics = args.get("node"), args.get("publishes", [])
    if not isinstance(node, str) or not is_source_name(node) or not isinstance(topics, list):
        return False
    wanted = [str(Topic(STATE, node)), *topics]
    return all(isinstance(topic, str) and guest.rights.may_publish(topic.encode()) for topic in wanted)


def _no_right(guest: AllowedKey, request: Request) -> Reply:
    return Reply(
        request.request_id,
        request.target,
        error_code="no_right",
        cause=f"the key {guest.name!r} may not {request.verb} at {request.target}",
        next_step="see its rights on the rig: zbus keys ls; more have keys made with --control or --publish",
    )


def _outside(place: str) -> str:
    host, _, port = place.rpartition(":")
    return (
        f"tcp://{_socket.gethostname()}:{port}"
        if host in ("tcp://*", "tcp://0.0.0.0", "tcp://[::]")
        else place
    )
