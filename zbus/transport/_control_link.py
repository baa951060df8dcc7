"""A node's link to the directory: it announces itself there, and is asked through it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from zbus.errors import WireError, ZbusError
from zbus.transport._context import make_socket
from zbus.transport._endpoints import check_endpoint
from zbus.transport._options import CONTROL_LINK
from zbus.transport._replies import ReplyCache
from zbus.transport._resource import Resource
from zbus.wire import (
    CONTROL,
    DIRECTORY,
    Buffer,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

log = logging.getLogger(__name__)

# Why: a request is refused as late by the asker's clock, and two hosts' clocks may differ by this much.
CLOCK_TOLERANCE_S = 2.0
TAKE_MAX = 64

Verb = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ControlLink(Resource):
    """One DEALER to the directory: `tell` sends a request whose reply is handed to `on_reply`; requests that
    others make of this node are executed by `verbs` and answered once.

    Acquires in `with`; belongs to the thread of the reactor that watches its socket and calls `serve`.
    """

    def __init__(
        self,
        node: str,
        directory: str,
        verbs: Mapping[str, Verb],
        on_reply: Callable[[Reply], None] | None = None,
    ) -> None:
        self.node = node
        self._directory, self._verbs, self._on_reply = directory, dict(verbs), on_reply
        self._replies = ReplyCache()
        self._socket: zmq.Socket[bytes] | None = None
        self.refused = 0

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        check_endpoint(self._directory)
        self._socket = make_socket(zmq.DEALER, CONTROL_LINK)
        # Why: an announcement that waited for a directory to come back is out of date.
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.connect(self._directory)

    def close(self) -> None:
        """Disconnect, giving the last words half a second to leave. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        if self._socket is None:
            raise RuntimeError("the control link is not open: use it in a with statement")
        return self._socket

    def tell(self, verb: str, args: Mapping[str, Any]) -> bool:
        """Send a request to the directory without waiting. False where it could not be sent now."""
        request = Request(
            request_id=secrets.token_hex(12),
            target=DIRECTORY,
            verb=verb,
            args=args,
            asked_ns=time.time_ns(),
            sender=self.node,
        )
        return self._send(encode_request(request))

    def serve(self) -> None:
        """Handle what has arrived: replies to what was told, and requests of others."""
        for _ in range(TAKE_MAX):
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(parts)
            except WireError as error:
                self.refused += 1
                log.warning("%s: a control message was refused: %s", self.node, error)

    def _handle(self, parts: list[bytes]) -> None:
        if len(parts) == 2:
            reply = decode_reply(parts)
            if self._on_reply is not None:
                self._on_reply(reply)
            return
        route, request = parts[0], decode_request(parts[1:])
        answer = self._replies.find(request.request_id)
        if answer is None:
            answer = encode_reply(self._execute(request))
            self._replies.remember(request.request_id, answer)
        self._send([route, *answer])

    def _execute(self, request: Request) -> Reply:
        late_s = _lateness_s(request)
        if late_s > CLOCK_TOLERANCE_S:
            cause = f"the request came {late_s:.1f} s after its deadline and was not executed"
            return self._error(request, "expired", cause, "ask again; where it persists, set the clocks")
        verb = self._verbs.get(request.verb)
        if verb is None:
            known = ", ".join(sorted(self._verbs))
            return self._error(request, "unknown_verb", f"{self.node} has no verb {request.verb!r}", known)
        try:
            return Reply(request.request_id, request.target, verb(request.args))
        except ZbusError as error:
            return self._error(request, error.code, error.cause, error.next_step)
        except Exception as error:
            log.exception("%s: %s failed", self.node, request.verb)
            return self._error(request, "error", f"{type(error).__name__}: {error}", "see the node's log")

    def _error(self, request: Request, code: str, cause: str, next_step: str) -> Reply:
        return Reply(request.request_id, request.target, error_code=code, cause=cause, next_step=next_step)

    def _send(self, parts: list[Buffer]) -> bool:
        try:
            self.socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True


def split_route(parts: list[bytes]) -> tuple[bytes, list[bytes]]:
    """What a ROUTER received: who it came from, and the message. Raises WireError."""
    if len(parts) < 3:
        raise WireError("wrong_part_count", f"{len(parts)} parts with the sender's")
    return parts[0], parts[1:]


def is_request(parts: list[bytes]) -> bool:
    """True where a control message asks, false where it answers."""
    return parts[0].startswith(f"{CONTROL}/".encode())


def _lateness_s(request: Request) -> float:
    if not request.asked_ns:
        return 0.0
    return (time.time_ns() - request.asked_ns) / 1e9 - request.timeout_ms / 1e3
