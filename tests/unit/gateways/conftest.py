"""A view of a bus that is fed by hand, and a real gateway on a real bus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from zbus.config import BrokerPlan
from zbus.gateways import GatewaySettings, run_gateway
from zbus.gateways._app import build_app
from zbus.gateways._view import BusView
from zbus.transport import Reactor
from zbus_brokers import run_broker

DEADLINE_S = 15.0
HOST = "gateway.test:8080"

Ask = Callable[..., httpx.Response]


@pytest.fixture
def view() -> BusView:
    """Hears nothing but what a test hands to `hear`."""
    return BusView("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", viewers_max=2)


@pytest.fixture
def ask(view: BusView) -> Callable[..., Any]:
    """Send one request to the application, without a socket."""
    app = build_app(GatewaySettings(title="Arena"), view, frozenset({HOST}))

    async def send(path: str, method: str = "GET", **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            return await client.request(method, path, **more)

    return send


@pytest.fixture
def endpoints() -> Iterator[Mapping[str, str]]:
    """A broker on free ports."""
    taken: dict[str, str] = {}
    ready = threading.Event()
    anywhere = "tcp://127.0.0.1:0"

    def on_ready(endpoints: Mapping[str, str]) -> None:
        taken.update(endpoints)
        ready.set()

    with Reactor() as reactor:
        plan = BrokerPlan(anywhere, anywhere, anywhere)
        thread = threading.Thread(target=run_broker, args=(plan, reactor, on_ready))
        thread.start()
        try:
            assert ready.wait(DEADLINE_S)
            yield taken
        finally:
            reactor.stop()
            thread.join(DEADLINE_S)


@pytest.fixture
def serve(endpoints: Mapping[str, str]) -> Iterator[Callable[..., str]]:
    """Start gateways on that broker; each call returns an address, such as 127.0.0.1:40001."""
    running: list[tuple[threading.Event, threading.Thread]] = []

    def start(**settings: Any) -> str:
        stop, ready, urls = threading.Event(), threading.Event(), list[str]()
        told = {
            "bind": "127.0.0.1:0",
            "directory": endpoints["directory"],
            "subscribe": endpoints["subscribe"],
        }

        def on_ready(url: str) -> None:
            urls.append(url)
            ready.set()

        def run() -> None:
            run_gateway(GatewaySettings(**{**told, **settings}), on_ready=on_ready, stop=stop)

        thread = threading.Thread(target=run)
        thread.start()
        running.append((stop, thread))
        assert ready.wait(DEADLINE_S)
        return urls[0].removeprefix("http://")

    yield start
    for stop, thread in running:
        stop.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
