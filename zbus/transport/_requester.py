"""Asking: one request at a time, with a deadline, repeated under the same id until it is answered."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import zmq

from zbus.errors import KeyRefused, RequestRefused, RequestTimeout, TransportError, WireError
from zbus.transport._client_key import ClientKey
from zbus.transport._endpoints import check_endpoint, connect
from zbus.transport._monitor import ConnectionMonitor
from zbus.transport._options import CONTROL_LINK
from zbus.transport._own_socket import OwnSocket
from zbus.transport._refusal import Refusal
from zbus.transport._resource import Resource, to_ms
from zbus.wire import DIRECTORY, Buffer, Reply, Request, decode_reply, decode_request, encode_request

RETRY_S = 0.5
# No request may wait longer (spec 7).
TIMEOUT_MAX_S = 600.0


class Requester(Resource):
    """Asks nodes through the rig's directory. Acquires in `with`; belongs to the thread that opened it.

    `key` opens a directory that is locked.
    """

    def __init__(self, directory: str, *, sender: str = "", key: ClientKey | None = None) -> None:
        self._directory, self._sender, self._key = directory, sender, key
        self._own = OwnSocket("requester")
        self._monitor: ConnectionMonitor | None = None

    def open(self) -> None:
        """Connect. Raises TransportError for what is not an endpoint."""
        check_endpoint(self._directory)
        socket = self._own.open(zmq.DEALER, CONTROL_LINK)
        try:
            socket.setsockopt(zmq.LINGER, 0)
            self._monitor = ConnectionMonitor(socket)
            self._monitor.open()
            connect(socket, self._directory, self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        if self._monitor is not None:
            self._monitor.close()
        self._own.close()

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
        have been carried out all the same), KeyRefused where the directory lets nobody in with this key or
        without one, WireError where the request itself breaks the spec.
        """
        timeout_s = min(timeout_s, TIMEOUT_MAX_S)
        request = Request(
            request_id=secrets.token_hex(12),
            target=target,
            verb=verb,
            args=args or {},
            timeout_ms=max(1, int(timeout_s * 1000)),
            asked_ns=time.time_ns(),
            sender=self._sender,
        )
        parts = encode_request(request)
        # Why: what the other side cannot read it drops, and the asker would wait for nothing.
        decode_request(parts)
        reply = self._exchange(request, parts, time.monotonic() + timeout_s)
        if not reply.ok:
            raise RequestRefused(reply.error_code, reply.cause, next_step=reply.next_step)
        return reply.result

    def _exchange(self, request: Request, parts: Sequence[Buffer], deadline_s: float) -> Reply:
        socket = self._own.get()
        is_asked = False
        while (left_s := deadline_s - time.monotonic()) > 0:
            wait_s = min(RETRY_S, left_s)
            if socket.poll(to_ms(wait_s), zmq.POLLOUT):
                with contextlib.suppress(zmq.Again):
                    socket.send_multipart(parts, zmq.NOBLOCK)
                    is_asked = True
                reply = _listen(socket, request.request_id, min(time.monotonic() + RETRY_S, deadline_s))
                if reply is not None:
                    return reply
        raise self._timeout(request, is_asked)

    def _timeout(self, request: Request, is_asked: bool) -> TransportError:
        refusal = self._refusal()
        if refusal is not None:
            return KeyRefused(refusal.cause, next_step=refusal.next_step)
        within = f"within {request.timeout_ms / 1000:g} s"
        if not is_asked:
            return RequestTimeout(
                f"nobody is at {self._directory} to ask: no connection {within}",
                next_step="start the broker: zbus broker, or zbus up; is the address right? zbus doctor",
            )
        return RequestTimeout(
            f"{request.target} at {self._directory} did not answer {request.verb!r} {within}",
            next_step="see what runs: zbus ps; is the broker there? zbus doctor",
        )

    def _refusal(self) -> Refusal | None:
        if self._monitor is None:
            return None
        self._monitor.read()
        return self._monitor.refusal(self._directory, self._key)


def _listen(socket: zmq.Socket[bytes], request_id: str, until_s: float) -> Reply | None:
    """The reply to `request_id`; others are answers to what was given up, or nonsense, and are dropped."""
    while (left_s := until_s - time.monotonic()) > 0:
        if not socket.poll(to_ms(left_s)):
            return None
        with contextlib.suppress(WireError, zmq.Again):
            reply = decode_reply(socket.recv_multipart(zmq.NOBLOCK))
            if reply.request_id == request_id:
                return reply
    return None
