from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

import zbus
from zbus.gateways import GatewaySettings
from zbus.gateways._app import STATIC, build_app
from zbus.gateways._view import BusView

from .conftest import HOST, Ask
from .messages import state


def asked(view: BusView, settings: GatewaySettings, path: str, host: str = HOST) -> httpx.Response:
    app = build_app(settings, view, frozenset({HOST}))

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path)

    return asyncio.run(send())


def test_the_front_door_is_the_page(ask: Ask) -> None:
    answer = asyncio.run(ask("/"))
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.content == (STATIC / "index.html").read_bytes()


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir() if path.is_file()))
def test_every_file_of_the_page_is_served(ask: Ask, name: str) -> None:
    assert asyncio.run(ask(f"/static/{name}")).content == (STATIC / name).read_bytes()


@pytest.mark.parametrize("path", ["/static/%2e%2e/_app.py", "/static/..%2f_app.py", "/static/"])
def test_nothing_beside_the_page_is_served(ask: Ask, path: str) -> None:
    assert asyncio.run(ask(path)).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/nosuch", "/v1/nosuch"])
def test_what_is_not_there_is_told_in_the_one_form(ask: Ask, path: str) -> None:
    answer = asyncio.run(ask(path))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_the_routes_of_every_kind_are_in_the_schema(ask: Ask) -> None:
    schema = asyncio.run(ask("/openapi.json")).json()
    assert schema["info"] == {"title": "zbus gateway", "version": zbus.__version__}
    wanted = {"/v1/health", "/v1/cameras", "/v1/cameras/{camera}/snapshot.jpg"}
    assert wanted <= set(schema["paths"])
    assert "/" not in schema["paths"]


def test_an_error_of_the_bus_has_its_status(ask: Ask, view: BusView) -> None:
    view.hear(state("cam1"))
    answer = asyncio.run(ask("/v1/cameras/cam2/snapshot.jpg"))
    assert answer.status_code == 404
    assert "there is: cam1" in answer.json()["error"]["cause"]


@pytest.mark.parametrize("path", ["/", "/static/index.html", "/v1/health", "/openapi.json", "/nosuch"])
def test_the_guard_stands_in_front_of_everything(view: BusView, path: str) -> None:
    assert asked(view, GatewaySettings(), path, host="evil.example").status_code == 421
    assert "content-security-policy" in asked(view, GatewaySettings(), path).headers


@pytest.mark.parametrize(("bind", "status"), [("127.0.0.1:8080", 421), ("0.0.0.0:8080", 200)])
def test_numeric_addresses_are_names_of_an_exposed_gateway_only(
    view: BusView, bind: str, status: int
) -> None:
    settings = GatewaySettings(bind=bind, insecure=True)
    assert asked(view, settings, "/v1/health", host="192.0.2.7:8080").status_code == status


class Viewer:
    """A live socket that leaves as soon as it was told something."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._told = asyncio.Event()
        self._is_new = True

    async def receive(self) -> dict[str, Any]:
        if self._is_new:
            self._is_new = False
            return {"type": "websocket.connect"}
        await self._told.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.send":
            self._told.set()


def test_a_live_viewer_is_greeted_with_what_the_settings_say(view: BusView) -> None:
    async def scenario() -> str:
        viewer = Viewer()
        app = build_app(GatewaySettings(title="Arena", viewers_max=3), view, frozenset({HOST}))
        scope = {
            "type": "websocket",
            "path": "/v1/live",
            "query_string": b"",
            "headers": [(b"host", HOST.encode())],
            "subprotocols": [],
        }
        await asyncio.wait_for(app(scope, viewer.receive, viewer.send), 5)
        return next(each["text"] for each in viewer.sent if each["type"] == "websocket.send")

    hello = asyncio.run(scenario())
    for said in ('"type":"hello"', '"title":"Arena"', '"viewers_max":3', '"exposed":false'):
        assert said in hello
