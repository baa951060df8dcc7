"""A connection that loses patience with a peer who never finishes a request."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

REQUEST_TIMEOUT_S = 10.0

_Protocol: Any = AutoHTTPProtocol


class PatientConnection(_Protocol):
    """uvicorn's own, closed where REQUEST_TIMEOUT_S passes between two requests, or within one's head.

    Why: uvicorn closes connections that are idle, but waits for ever for the rest of a head.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._look_again(None)

    def _look_again(self, before: Any) -> None:
        self.loop.call_later(REQUEST_TIMEOUT_S, self._look, before)

    def _look(self, before: Any) -> None:
        if self not in self.connections:
            # Why: it is closed, or has become a live socket, which has pings of its own.
            return
        is_between = self.cycle is None or self.cycle.response_complete
        if is_between and self.cycle is before:
            self.transport.close()
            return
        self._look_again(self.cycle)
