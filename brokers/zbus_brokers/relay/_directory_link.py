"""A relay's link to its host's directory: announces the nodes of others, lists, asks and is asked."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import zmq

from zbus.errors import WireError
from zbus.transport import CONTROL_LINK, Reactor, Resource, connect, is_request, make_socket
from zbus.wire import (
    DIRECTORY,
    Buffer,
    Reply,
    Request,
    decode_reply,
    decode_request,
    decode_topic,
    encode_request,
)

TAKE_MAX = 256
TOLD_MAX = 4_096

OnParts = Callable[[Sequence[Buffer]], None]
# Is given the target, the request's parts, and who waits for the reply's.
Serve = Callable[[str, Sequence[bytes], OnParts], None]


class DirectoryLink(Resource):
    """One DEALER to the directory, for many nodes: those that a relay announces are asked through it.

    Belongs to the thread of `reactor`.
    """

    def __init__(self, node: str, directory: str, reactor: Reactor, serve: Serve) -> None:
        self.node, self._directory, self._reactor, self._serve = node, directory, reactor, serve
        self._socket: zmq.Socket[bytes] | None = None
        self._open: OrderedDict[str, OnParts] = OrderedDict()
        self.refused = 0

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        socket = make_socket(zmq.DEALER, CONTROL_LINK)
        try:
            connect(socket, self._directory)
        except BaseException:
            socket.close(linger=0)
            raise
        self._socket = socket
        self._reactor.watch(socket, self._take)

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        if self._socket is not None:
            self._reactor.unwatch(self._socket)
            self._socket.close()
            self._socket = None

    def tell(
        self, verb: str, args: Mapping[str, Any], on_reply: Callable[[Reply], None] = lambda reply: None
    ) -> None:
        """Ask the directory itself, without waiting. Raises WireError for args that do not fit."""
        request = Request(
            secrets.token_hex(12), DIRECTORY, verb, args, asked_ns=time.time_ns(), sender=self.node
        )
        self._note(request.request_id, lambda parts: on_reply(decode_reply(parts)))
        self._send(encode_request(request))

    def ask(self, parts: Sequence[Buffer], on_reply: OnParts) -> None:
        """Carry somebody's request to the node it is for. Raises WireError for what is no request."""
        request = decode_request(parts)
        self._note(request.request_id, on_reply)
        self._send(parts)

    def _note(self, request_id: str, on_reply: OnParts) -> None:
        self._open[request_id] = on_reply
        if len(self._open) > TOLD_MAX:
            self._open.popitem(last=False)

    def _take(self) -> None:
        for _ in range(TAKE_MAX):
            if self._socket is None:
                return
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(parts)
            except WireError:
                self.refused += 1

    def _handle(self, parts: list[bytes]) -> None:
        if len(parts) == 3 and is_request(parts[1:]):
            route, target = parts[0], decode_topic(parts[1]).source
            self._serve(target, parts[1:], lambda reply: self._send([route, *reply]))
            return
        reply = decode_reply(parts)
        on_reply = self._open.pop(reply.request_id, None)
        if on_reply is None:
            raise WireError("out_of_range", f"a reply to {reply.request_id!r}, which was not asked")
        on_reply(parts)

    def _send(self, parts: Sequence[Buffer]) -> None:
        """Send, or not where there is no directory now: who asked hears nothing, and asks again."""
        if self._socket is None:
            return
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return
