"""uvicorn as the gateway runs it: quiet, on a given socket, gone within two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from zbus.gateways._app import build_app
from zbus.gateways._connection import PatientConnection
from zbus.gateways._listener import allowed_hosts, url_of
from zbus.gateways._settings import GatewaySettings
from zbus.gateways._view import BusView
from zbus.transport import load_client_key

CONNECTIONS_MAX = 64
LIVE_MESSAGE_MAX_BYTES = 4_096
PING_PERIOD_S = 5.0
STOP_GRACE_S = 1


def serve(
    settings: GatewaySettings,
    listener: socket.socket,
    on_ready: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Serve on `listener` until `stop` is set. Raises what ended the view of the bus, if something did."""
    asyncio.run(_serve(settings, listener, on_ready, stop))


async def _serve(
    settings: GatewaySettings,
    listener: socket.socket,
    on_ready: Callable[[str], None],
    stop: threading.Event,
) -> None:
    view = BusView(
        settings.subscribe,
        settings.directory,
        here=settings.here,
        viewers_max=settings.viewers_max,
        key=load_client_key(settings.key) if settings.key else None,
    )
    app = build_app(settings, view, allowed_hosts(settings, listener))
    server = _Server(_config(app), view, lambda: on_ready(url_of(listener)))
    async with view:
        with _ending(server, stop):
            view.on_failure = server.end
            await server.serve(sockets=[listener])
    if view.failure is not None:
        raise view.failure


def _config(app: Any) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=PatientConnection,
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_GRACE_S,
        ws_max_size=LIVE_MESSAGE_MAX_BYTES,
        ws_ping_interval=PING_PERIOD_S,
        ws_ping_timeout=PING_PERIOD_S,
        # Why: pictures are compressed already.
        ws_per_message_deflate=False,
    )


class _Server(uvicorn.Server):
    """A server whose viewers are let go first, and that leaves signals to its caller."""

    def __init__(self, config: uvicorn.Config, view: BusView, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._view, self._on_started = view, on_started

    def end(self) -> None:
        """Stop serving. In the loop's thread."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._view.audience.dismiss()
        # Why: viewers say that the gateway stops in the loop's next turn; uvicorn would say 1012 before them.
        await asyncio.sleep(0)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # Why: an aborted connection is closed in the loop's next turn.
        await asyncio.sleep(0)


@contextlib.contextmanager
def _ending(server: _Server, stop: threading.Event) -> Iterator[None]:
    """Let `stop` end the server, from whatever thread it is set."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        stop.wait()
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(server.end)

    waiter = threading.Thread(target=wait, name="gateway-stop", daemon=True)
    waiter.start()
    try:
        yield
    finally:
        stop.set()
        waiter.join()
