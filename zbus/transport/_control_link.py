"""A node's link to the directory: it announces itself there, and is asked through it."""

from __future__ import annotations

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from zbus.errors import WireError, ZbusError
from zbus.transport._client_key import ClientKey
from zbus.transport._endpoints import check_endpoint, connect
from zbus.transport._link_watch import watch_link
from zbus.transport._options import CONTROL_LINK
from zbus.transport._own_socket import OwnSocket
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
TOLD_MAX = 64

Verb = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ControlLink(Resource):
    """One DEALER to the directory: `tell` sends a request whose reply is handed to `on_reply`; requests that
    others make of this node are executed by `verbs` and answered once. `key` opens a locked directory.

    Acquires in `with`; belongs to the thread of the reactor that watches its socket and calls `serve`.
    """

    def __init__(
        self,
        node: str,
        directory: str,
        verbs: Mapping[str, Verb],
        on_reply: Callable[[Reply], None] | None = None,
        *,
        key: ClientKey | None = None,
    ) -> None:
        self.node, self._key = node, key
        self._directory, self._verbs, self._on_reply = directory, dict(verbs), on_reply
        self._replies = ReplyCache()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._own = OwnSocket("control link")
        self.refused = 0

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        check_endpoint(self._directory)
        socket = self._own.open(zmq.DEALER, CONTROL_LINK)
        try:
            watch_link(socket, [self._directory], self._key)
            connect(socket, self._directory, self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect, giving the last words half a second to leave. Safe to call twice."""
        self._own.close()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        return self._own.get()

    def tell(self, verb: str, args: Mapping[str, Any]) -> bool:
        """Send a request to the directory without waiting. False where it could not be sent now.

        The connection takes a moment: the first `tell` after opening is not sent, so tell again each beat.
        """
        request = Request(
            request_id=secrets.token_hex(12),
            target=DIRECTORY,
            verb=verb,
            args=args,
            asked_ns=time.time_ns(),
            sender=self.node,
        )
        if not self._send(encode_request(request)):
            return False
        self._told[request.request_id] = None
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        return True

    def serve(self) -> None:
        """Handle what has arrived: replies to what was told, and requests of others."""
        for _ in range(TAKE_MAX):
            if not self._own.is_open:
                # Why: a verb or a reply's callback may have closed the link.
                return
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(parts)
            except WireError as error:
                self._refuse(error)

    def _handle(self, parts: list[bytes]) -> None:
        if len(parts) == 2:
            self._take_reply(decode_reply(parts))
            return
        answer = self._answer(decode_request(parts[1:]))
        if self._own.is_open:
            self._send([parts[0], *answer])

    def _take_reply(self, reply: Reply) -> None:
        if reply.request_id not in self._told:
            raise WireError("out_of_range", f"a reply to {reply.request_id!r}, which was not asked")
        del self._told[reply.request_id]
        if self._on_reply is not None:
            self._on_reply(reply)

    def _answer(self, request: Request) -> list[Buffer]:
        answer = self._replies.find(request.request_id)
        if answer is None:
            answer = self._encode(request, self._execute(request))
            self._replies.remember(request.request_id, answer)
        return answer

    def _encode(self, request: Request, reply: Reply) -> list[Buffer]:
        """The reply, or where its result cannot travel the error that says so: it must not be tried again."""
        try:
            return encode_reply(reply)
        except Exception as error:
            log.exception("%s: the result of %s cannot be sent", self.node, request.verb)
            cause = ascii(f"{request.verb} was carried out, and its result cannot be sent: {error}")
            return encode_reply(_error(request, "error", cause, "see the node's log"))

    def _execute(self, request: Request) -> Reply:
        late_s = _lateness_s(request)
        if late_s > CLOCK_TOLERANCE_S:
            cause = f"the request came {late_s:.1f} s after its deadline and was not executed"
            return _error(request, "expired", cause, "ask again; where it persists, set the clocks")
        verb = self._verbs.get(request.verb)
        if verb is None:
            known = ", ".join(sorted(self._verbs))
            return _error(request, "unknown_verb", f"{self.node} has no verb {request.verb!r}", known)
        try:
            return Reply(request.request_id, request.target, verb(request.args))
        except ZbusError as error:
            return _error(request, error.code, error.cause, error.next_step)
        except Exception as error:
            log.exception("%s: %s failed", self.node, request.verb)
            return _error(request, "error", f"{type(error).__name__}: {error}", "see the node's log")

    def _refuse(self, error: WireError) -> None:
        self.refused += 1
        if is_worth_a_line(self.refused):
            log.warning(
                "%s: a control message was refused, %d by now: %s", self.node, self.refused, error.cause
            )

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


def is_worth_a_line(count: int) -> bool:
    """True at 1, 2, 4, 8, ...: what a stranger may cause at will must not fill the log."""
    return count & (count - 1) == 0


def _error(request: Request, code: str, cause: str, next_step: str) -> Reply:
    return Reply(request.request_id, request.target, error_code=code, cause=cause, next_step=next_step)


def _lateness_s(request: Request) -> float:
    if not request.asked_ns:
        return 0.0
    return (time.time_ns() - request.asked_ns) / 1e9 - request.timeout_ms / 1e3
