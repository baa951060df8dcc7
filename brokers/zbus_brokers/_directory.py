"""The directory: who publishes what, where; and the way by which nodes are asked."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import zmq

from zbus.errors import RequestRefused, WireError, ZbusError
from zbus.transport import (
    CONTROL_LINK,
    ConnectionCounters,
    ConnectionMonitor,
    Reactor,
    ReplyCache,
    Resource,
    bind,
    is_request,
    is_worth_a_line,
    make_socket,
    split_route,
)
from zbus.wire import (
    CONTROL,
    DIRECTORY,
    Buffer,
    Reply,
    Request,
    Topic,
    decode_request,
    decode_topic,
    encode_reply,
    is_source_name,
)
from zbus_brokers._calls import Calls
from zbus_brokers._registry import LEASE_S, Entry, Registry

log = logging.getLogger(__name__)

# Few, so that the forwarder has its turn between: a listing of a large rig takes a millisecond.
TAKE_MAX = 16
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
        host: str = "",
        insecure: bool = False,
    ) -> None:
        self._wanted, self._insecure = endpoint, insecure
        self._reactor, self._tell, self._endpoints = reactor, tell, endpoints
        self._registry = Registry()
        self._replies = ReplyCache()
        self._calls = Calls()
        self._told_twice: set[str] = set()
        self._undo = ExitStack()
        self.endpoint = ""
        self.refused = 0
        self.connections = ConnectionCounters()
        self._verbs = {
            "announce": self._announce,
            "leave": self._leave,
            "nodes": lambda args, identity: self._registry.listing(time.monotonic_ns()),
            "find": self._find,
            "endpoints": lambda args, identity: self._endpoints(),
            "clock": lambda args, identity: {**_clock(), "host": host},
        }

    def open(self) -> None:
        """Bind. Raises AddressInUse, ExposedAddress, TransportError."""
        with ExitStack() as undo:
            self._socket = make_socket(zmq.ROUTER, CONTROL_LINK)
            undo.callback(self._socket.close, linger=0)
            # Why: without it a message to a node that just died vanishes, and its asker waits for nothing.
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            monitor = undo.enter_context(ConnectionMonitor(self._socket))
            self.connections = monitor.counters
            self.endpoint = bind(self._socket, self._wanted, insecure=self._insecure)
            for socket, callback in ((self._socket, self._serve), (monitor.socket, monitor.read)):
                self._reactor.watch(socket, callback)
                undo.callback(self._reactor.unwatch, socket)
            undo.callback(self._reactor.every(EXPIRY_PERIOD_S, self._expire).cancel)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Unbind. Safe to call twice."""
        self._undo.close()

    def _serve(self) -> None:
        for _ in range(TAKE_MAX):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(*split_route(parts))
            except WireError as error:
                self._count_refused(error)

    def _handle(self, identity: bytes, parts: list[bytes]) -> None:
        if not is_request(parts):
            self._carry_back(parts)
            return
        if len(parts) != 2:
            raise WireError("wrong_part_count", f"a request of {len(parts)} parts")
        target = decode_topic(parts[0]).source
        if target == DIRECTORY:
            self._answer(identity, parts)
        else:
            self._carry(identity, target, parts)

    def _carry(self, identity: bytes, target: str, parts: list[bytes]) -> None:
        entry = self._registry.find(target)
        if entry is None:
            known = ", ".join(self._registry.names()) or "none"
            self._refuse(identity, parts, "unknown_node", f"no node is called {target!r}; there is: {known}")
            return
        route = self._calls.open(identity, entry.identity, parts)
        failure = self._send([entry.identity, route, *parts])
        if failure:
            self._calls.close(route)
            code, cause = _FAILURES[failure]
            self._refuse(identity, parts, code, cause.format(target))

    def _carry_back(self, parts: list[bytes]) -> None:
        if len(parts) != 3:
            raise WireError("wrong_part_count", f"{len(parts)} parts, neither a request nor a node's reply")
        call = self._calls.close(parts[0])
        if call is None:
            raise WireError("bad_topic", "a reply to what was not asked, or was answered or given up already")
        self._send([call.asker, *parts[1:]])

    def _answer(self, identity: bytes, parts: list[bytes]) -> None:
        request = decode_request(parts)
        answer = self._replies.find(request.request_id)
        if answer is None:
            answer = _encode(request, self._execute(request, identity))
            self._replies.remember(request.request_id, answer)
        self._send([identity, *(bytes(part) for part in answer)])

    def _execute(self, request: Request, identity: bytes) -> Reply:
        # Why without a look at its deadline: what it asks here is true of now or a sign of life, and a node
        # whose clock is wrong must not be missing from the list in which one would look for it.
        try:
            verb = self._verbs.get(request.verb)
            if verb is None:
                raise RequestRefused("unknown_verb", f"the directory knows: {', '.join(self._verbs)}")
            return Reply(request.request_id, DIRECTORY, verb(request.args, identity))
        except ZbusError as error:
            return _error(request, error.code, error.cause, error.next_step)

    def _refuse(self, identity: bytes, parts: list[bytes], code: str, cause: str) -> None:
        request = decode_request(parts)
        answer = encode_reply(_error(request, code, cause, "see what runs: zbus ls"))
        self._send([identity, *(bytes(part) for part in answer)])

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
        entry = self._registry.leave(node, session)
        if entry is not None:
            self._lose_calls(entry)
        if is_source_name(node):
            # Why also for one that was not known: it may have told its state before it was heard of here.
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
            self._lose_calls(entry)
            replaced = self._registry.find(entry.node) is not None
            self._tell("node_lost", {**_who(entry), "replaced": replaced})
        self._told_twice = {node for node in self._told_twice if self._registry.is_duplicate(node)}

    def _lose_calls(self, entry: Entry) -> None:
        for call in self._calls.lose(entry.identity, Topic(CONTROL, entry.node).encode()):
            cause = f"{entry.node} was lost before it answered; it may have been done all the same"
            try:
                self._refuse(call.asker, call.parts, "unknown_node", cause)
            except WireError as error:
                self._count_refused(error)

    def _count_refused(self, error: WireError) -> None:
        self.refused += 1
        if is_worth_a_line(self.refused):
            log.warning("the directory refused a control message, %d by now: %s", self.refused, error.cause)

    def _send(self, parts: list[bytes]) -> int:
        """Send without waiting; 0, or the errno of why not."""
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno is None or error.errno not in _FAILURES:
                raise
            return error.errno
        return 0


def _clock() -> dict[str, int]:
    return {"mono_ns": time.monotonic_ns(), "utc_ns": time.time_ns()}


_FAILURES = {
    int(zmq.EAGAIN): ("busy", "{} does not keep up with what is asked of it"),
    errno.EHOSTUNREACH: ("unknown_node", "{} has just gone; the directory has lost its connection"),
}


def _encode(request: Request, reply: Reply) -> list[Buffer]:
    try:
        return encode_reply(reply)
    except WireError as error:
        return encode_reply(_error(request, "error", f"the answer cannot be sent: {error.reason}", ""))


def _error(request: Request, code: str, cause: str, next_step: str) -> Reply:
    return Reply(request.request_id, request.target, error_code=code, cause=cause, next_step=next_step)


def _who(entry: Entry) -> dict[str, Any]:
    return {
        "node": entry.node,
        "role": entry.role,
        "session": entry.session,
        "host": entry.host,
        "pid": entry.pid,
    }
