"""The directory: who publishes what, where; and the way by which nodes are asked."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from zbus.errors import RequestRefused, WireError, ZbusError
from zbus.transport import (
    CONTROL_LINK,
    Reactor,
    ReplyCache,
    Resource,
    bind,
    is_request,
    make_socket,
    split_route,
)
from zbus.wire import DIRECTORY, Reply, decode_request, decode_topic, encode_reply
from zbus_brokers._registry import LEASE_S, Entry, Registry

log = logging.getLogger(__name__)

TAKE_MAX = 256
EXPIRY_PERIOD_S = 0.25

Tell = Callable[[str, Mapping[str, Any]], None]


class Directory(Resource):
    """Answers requests to itself and carries those to nodes, whose headers it does not read.

    `tell(event, fields)` is called when a node joins, is lost or is there twice. Belongs to the thread of
    `reactor`.
    """

    def __init__(
        self,
        endpoint: str,
        reactor: Reactor,
        tell: Tell,
        endpoints: Callable[[], Mapping[str, Any]],
        *,
        insecure: bool = False,
    ) -> None:
        self._wanted, self._insecure = endpoint, insecure
        self._reactor, self._tell, self._endpoints = reactor, tell, endpoints
        self._registry = Registry()
        self._replies = ReplyCache()
        self._told_twice: set[str] = set()
        self.endpoint = ""
        self.refused = 0
        self._socket: zmq.Socket[bytes] | None = None
        self._verbs = {
            "announce": self._announce,
            "leave": self._leave,
            "nodes": lambda args, identity: {"nodes": self._registry.listing(time.monotonic_ns())},
            "find": self._find,
            "endpoints": lambda args, identity: self._endpoints(),
        }

    def open(self) -> None:
        """Bind. Raises AddressInUse, ExposedAddress, TransportError."""
        self._socket = make_socket(zmq.ROUTER, CONTROL_LINK)
        # Why: without it a message to a node that just died vanishes, and its asker waits for nothing.
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        try:
            self.endpoint = bind(self._socket, self._wanted, insecure=self._insecure)
        except BaseException:
            self.close()
            raise
        self._reactor.watch(self._socket, self._serve)
        self._reactor.every(EXPIRY_PERIOD_S, self._expire)

    def close(self) -> None:
        """Unbind. Safe to call twice."""
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def _serve(self) -> None:
        assert self._socket is not None
        for _ in range(TAKE_MAX):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(*split_route(parts))
            except WireError as error:
                self.refused += 1
                log.warning("the directory refused a control message: %s", error)

    def _handle(self, identity: bytes, parts: list[bytes]) -> None:
        if not is_request(parts):
            # A node's reply: the route that it sends back in front is where the asker is.
            self._send([parts[0], *parts[1:]])
            return
        target = decode_topic(parts[0]).source
        if target == DIRECTORY:
            self._answer(identity, parts)
            return
        entry = self._registry.find(target)
        if entry is None or not self._send([entry.identity, identity, *parts]):
            known = ", ".join(self._registry.names()) or "none"
            self._refuse(identity, parts, "unknown_node", f"no node is called {target!r}; there is: {known}")

    def _answer(self, identity: bytes, parts: list[bytes]) -> None:
        request = decode_request(parts)
        answer = self._replies.find(request.request_id)
        if answer is None:
            try:
                verb = self._verbs.get(request.verb)
                if verb is None:
                    raise RequestRefused("unknown_verb", f"the directory knows: {', '.join(self._verbs)}")
                reply = Reply(request.request_id, DIRECTORY, verb(request.args, identity))
            except ZbusError as error:
                reply = Reply(
                    request.request_id,
                    DIRECTORY,
                    error_code=error.code,
                    cause=error.cause,
                    next_step=error.next_step,
                )
            answer = encode_reply(reply)
            self._replies.remember(request.request_id, answer)
        self._send([identity, *(bytes(part) for part in answer)])

    def _refuse(self, identity: bytes, parts: list[bytes], code: str, cause: str) -> None:
        request = decode_request(parts)
        reply = Reply(request.request_id, request.target, error_code=code, cause=cause, next_step="zbus ls")
        self._send([identity, *(bytes(part) for part in encode_reply(reply))])

    def _announce(self, args: Mapping[str, Any], identity: bytes) -> Mapping[str, Any]:
        entry, is_new = self._registry.announce(args, identity, time.monotonic_ns())
        if is_new:
            self._tell("node_joined", _who(entry))
        duplicate = self._registry.is_duplicate(entry.node)
        if duplicate and entry.node not in self._told_twice:
            self._told_twice.add(entry.node)
            self._tell("duplicate_publisher", _who(entry))
        return {"lease_s": LEASE_S, "duplicate": duplicate}

    def _leave(self, args: Mapping[str, Any], identity: bytes) -> Mapping[str, Any]:
        node, session = str(args.get("node", "")), str(args.get("session", ""))
        if self._registry.leave(node, session):
            replaced = self._registry.find(node) is not None
            self._tell("node_left", {"node": node, "session": session, "replaced": replaced})
        return {}

    def _find(self, args: Mapping[str, Any], identity: bytes) -> Mapping[str, Any]:
        topic = args.get("topic")
        if not isinstance(topic, str):
            raise RequestRefused("bad_message", "topic is not a text")
        return {"publishers": self._registry.publishers(topic)}

    def _expire(self) -> None:
        for entry in self._registry.expire(time.monotonic_ns()):
            replaced = self._registry.find(entry.node) is not None
            self._tell("node_lost", {**_who(entry), "replaced": replaced})
        self._told_twice = {node for node in self._told_twice if self._registry.is_duplicate(node)}

    def _send(self, parts: list[bytes]) -> bool:
        assert self._socket is not None
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EAGAIN, errno.EHOSTUNREACH):
                raise
            return False
        return True


def _who(entry: Entry) -> dict[str, Any]:
    return {
        "node": entry.node,
        "role": entry.role,
        "session": entry.session,
        "host": entry.host,
        "pid": entry.pid,
    }
