"""Requests on their way to another host, by the random route that its reply has to bring back."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

from zbus.wire import Buffer, Reply, decode_request, encode_reply

CALLS_MAX = 1_024

OnReply = Callable[[Sequence[Buffer]], None]


class CallsOut:
    """Open calls; beyond CALLS_MAX the oldest is forgotten, which its asker sees as a timeout."""

    def __init__(self, calls_max: int = CALLS_MAX) -> None:
        self._calls: OrderedDict[str, tuple[Sequence[Buffer], OnReply]] = OrderedDict()
        self._max = calls_max

    def open(self, parts: Sequence[Buffer], on_reply: OnReply) -> str:
        """Note a request; returns its route."""
        route = secrets.token_hex(8)
        self._calls[route] = (parts, on_reply)
        if len(self._calls) > self._max:
            self._calls.popitem(last=False)
        return route

    def close(self, route: str) -> OnReply | None:
        """Who waits for this reply; it is answered then."""
        call = self._calls.pop(route, None)
        return call[1] if call else None

    def lose(self) -> list[tuple[Sequence[Buffer], OnReply]]:
        """All that will not be answered any more; they are closed."""
        lost = list(self._calls.values())
        self._calls.clear()
        return lost


def unreachable(parts: Sequence[bytes], host: str) -> Sequence[Buffer]:
    """The answer to a request for a host that is not there. Raises WireError for what is no request."""
    request = decode_request(parts)
    cause = f"{request.target} is on {host}, which cannot be reached at the moment"
    step = "see the relay's state: zbus top; is that host up? is the network?"
    return encode_reply(
        Reply(request.request_id, request.target, error_code="unknown_node", cause=cause, next_step=step)
    )
