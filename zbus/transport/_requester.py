"""Asking: one request at a time, with a deadline, repeated under the same id until it is answered."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import zmq

from zbus.errors import RequestRefused, RequestTimeout, WireError
from zbus.transport._context import make_socket
from zbus.transport._endpoints import check_endpoint
from zbus.transport._options import CONTROL_LINK
from zbus.transport._resource import Resource, to_ms
from zbus.wire import DIRECTORY, Buffer, Reply, Request, decode_reply, encode_request

RETRY_S = 0.5


class Requester(Resource):
    """Asks nodes through the rig's directory. Acquires in `with`; belongs to the thread that opened it."""

    def __init__(self, directory: str, *, sender: str = "") -> None:
        self._directory, self._sender = directory, sender
        self._socket: zmq.Socket[bytes] | None = None

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        check_endpoint(self._directory)
        self._socket = make_socket(zmq.DEALER, CONTROL_LINK)
        self._socket.connect(self._directory)

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def request(
        self,
        verb: str,
        args: Mapping[str, Any] | None = None,
        *,
        target: str = DIRECTORY,
        timeout_s: float = 5.0,
    ) -> Mapping[str, Any]:
        """Ask `target` to do `verb` and return its result. Blocks for at most `timeout_s`.

        Raises RequestRefused with the error it answered, RequestTimeout where nothing came in time (it may
        have been carried out all the same).
        """
        request = Request(
            request_id=secrets.token_hex(12),
            target=target,
            verb=verb,
            args=args or {},
            timeout_ms=max(1, int(timeout_s * 1000)),
            asked_ns=time.time_ns(),
            sender=self._sender,
        )
        reply = self._exchange(request.request_id, encode_request(request), time.monotonic() + timeout_s)
        if reply is None:
            raise RequestTimeout(
                f"{target} at {self._directory} did not answer {verb!r} within {timeout_s:g} s",
                next_step="see what runs: zbus ps; is the broker there? zbus doctor",
            )
        if not reply.ok:
            raise RequestRefused(reply.error_code, reply.cause, next_step=reply.next_step)
        return reply.result

    def _exchange(self, request_id: str, parts: Sequence[Buffer], deadline_s: float) -> Reply | None:
        if self._socket is None:
            raise RuntimeError("the requester is not open: use it in a with statement")
        while (left_s := deadline_s - time.monotonic()) > 0:
            # Why: where the queue to an absent directory is full, it is full of this same request.
            with contextlib.suppress(zmq.Again):
                self._socket.send_multipart(parts, zmq.NOBLOCK)
            reply = self._listen(request_id, min(RETRY_S, left_s))
            if reply is not None:
                return reply
        return None

    def _listen(self, request_id: str, wait_s: float) -> Reply | None:
        assert self._socket is not None
        until_s = time.monotonic() + wait_s
        while self._socket.poll(to_ms(until_s - time.monotonic())):
            try:
                reply = decode_reply(self._socket.recv_multipart())
            except WireError:
                continue
            if reply.request_id == request_id:
                return reply
        return None
