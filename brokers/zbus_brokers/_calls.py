"""Requests on their way to a node: only who was asked can answer, and who asked hears when it is gone."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

CALLS_MAX = 1_024
ROUTE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Call:
    """Who asked, which node, and the request as it came."""

    asker: bytes
    node: bytes
    parts: list[bytes]


class Calls:
    """Open calls by the random route that a node has to send back; beyond CALLS_MAX the oldest is forgotten.

    Why not the asker's identity as the route: who could send it back unasked could write to anyone, and
    libzmq 4.3.5 ends the process when a stranger takes the identity that comes after one it has learned.
    """

    def __init__(self, calls_max: int = CALLS_MAX) -> None:
        self._calls: OrderedDict[bytes, Call] = OrderedDict()
        self._max = calls_max

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, asker: bytes, node: bytes, parts: list[bytes]) -> bytes:
        """Note a request that goes to `node`; returns its route."""
        route = secrets.token_bytes(ROUTE_BYTES)
        self._calls[route] = Call(asker, node, parts)
        if len(self._calls) > self._max:
            self._calls.popitem(last=False)
        return route

    def close(self, route: bytes) -> Call | None:
        """The call that `route` answers, if there is one; it is answered then."""
        return self._calls.pop(route, None)

    def lose(self, node: bytes, topic: bytes) -> list[Call]:
        """The calls of `topic` that `node` will not answer any more; they are closed.

        Why both: behind one connection there may be several nodes, those that a relay announces.
        """
        routes = [route for route, call in self._calls.items() if (call.node, call.parts[0]) == (node, topic)]
        return [self._calls.pop(route) for route in routes]
