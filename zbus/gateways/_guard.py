"""What reaches the gateway at all: whose requests, how large, and under which rules a page of it lives.

Everything here stands in front of the routes, so that a new route cannot forget it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zbus.gateways._errors import error_form

BODY_MAX_BYTES = 1_048_576
BODY_TIMEOUT_S = 10.0
POLICY_REFUSED = 1008

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
RESPONSE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class _Refusal(Exception):
    def __init__(self, status: int, code: str, cause: str, next_step: str = "") -> None:
        super().__init__(cause)
        self.status, self.form = status, error_form(code, cause, next_step)


class Guard:
    """Lets requests through to `app` that name one of `hosts`, no foreign page makes, and are small enough.

    With `any_address` a numeric address is as good as a name in `hosts`.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], *, any_address: bool = False) -> None:
        self._app, self._hosts, self._any_address = app, hosts, any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, scope["path"])
        try:
            self._check(scope, Headers(scope=scope))
            if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
                receive = await _read_body(Headers(scope=scope), receive)
        except _Refusal as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if len(headers.getlist("host")) != 1 or not self._is_ours(host):
            raise _Refusal(
                421,
                "wrong_host",
                f"this gateway is not called {host[:100]!r}",
                f"use one of: {', '.join(sorted(self._hosts))}",
            )
        if _is_foreign(scope, headers, host):
            step = "open the gateway's own page, or ask from a program that is no browser"
            raise _Refusal(403, "foreign_page", "a page of another origin asked for this", step)

    def _is_ours(self, host: str) -> bool:
        # Why: a name can be rebound to this machine by its owner, a numeric address cannot.
        return host in self._hosts or (self._any_address and _is_address(host))


def _is_address(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_foreign(scope: Scope, headers: Headers, host: str) -> bool:
    """True where a browser says that another origin's page asks, unless it merely follows a link here."""
    acts = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
    origin = headers.get("origin")
    if acts and origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
        return True
    is_link = not acts and headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_link


async def _read_body(headers: Headers, receive: Receive) -> Receive:
    """Read the whole body within the bounds; returns a `receive` that hands it out again."""
    claimed = headers.get("content-length", "0")
    if not claimed.isdecimal() or int(claimed) > BODY_MAX_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while (message := await receive())["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > BODY_MAX_BYTES:
                    raise _too_large()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise _Refusal(408, "timeout", f"the body did not come within {BODY_TIMEOUT_S:g} s") from None
    return _replaying({"type": "http.request", "body": bytes(body)}, receive)


def _replaying(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _too_large() -> _Refusal:
    return _Refusal(413, "too_large", f"the body is larger than {BODY_MAX_BYTES} bytes")


def _with_headers(send: Send, path: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in RESPONSE_HEADERS.items():
                headers[name] = value
            # Why: pages and modules of two versions must not be mixed after an upgrade.
            headers.setdefault("Cache-Control", "no-store" if path.startswith("/v1") else "no-cache")
        await send(message)

    return send_with_headers


async def _refuse(refusal: _Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send(
            {"type": "websocket.close", "code": POLICY_REFUSED, "reason": refusal.form["error"]["code"]}
        )
        return
    await JSONResponse(refusal.form, refusal.status, {"Connection": "close"})(scope, receive, send)
