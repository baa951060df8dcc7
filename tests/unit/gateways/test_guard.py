from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from zbus.gateways import _guard
from zbus.gateways._guard import BODY_MAX_BYTES, Guard

HOST = "127.0.0.1:8080"


class Echo:
    """Answers with the body it was sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive() if scope["type"] == "http" else {}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message.get("body", b"")})


def ask(
    method: str = "GET", headers: dict[str, str] | None = None, any_address: bool = False, **more: Any
) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(Echo(), frozenset({HOST}), any_address=any_address))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            return await client.request(method, "/v1/x", headers=headers, **more)

    return asyncio.run(send())


def code_of(response: httpx.Response) -> str:
    return response.json()["error"]["code"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1", "127.0.0.1:8081", "192.0.2.7:8080", ""]
)
def test_another_host_is_refused(host: str) -> None:
    response = ask(headers={"Host": host})
    assert response.status_code == 421
    assert code_of(response) == "wrong_host"
    assert HOST in response.json()["error"]["next_step"]


@pytest.mark.parametrize(
    ("host", "status"), [("192.0.2.7:9", 200), ("[2001:db8::1]:9", 200), ("1.2.3.4.evil.example:9", 421)]
)
def test_an_exposed_gateway_also_takes_numeric_addresses(host: str, status: int) -> None:
    assert ask(headers={"Host": host}, any_address=True).status_code == status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"http://{HOST}.evil.example", "http://localhost:8080"]
)
def test_a_foreign_page_may_change_nothing(origin: str) -> None:
    response = ask("POST", {"Origin": origin})
    assert response.status_code == 403
    assert code_of(response) == "foreign_page"


def test_the_own_page_and_programs_may() -> None:
    assert ask("POST", {"Origin": f"http://{HOST}"}, content=b"abc").content == b"abc"
    assert ask("POST", content=b"abc").content == b"abc"


@pytest.mark.parametrize(
    ("method", "site", "mode", "status"),
    [
        ("GET", "cross-site", "no-cors", 403),
        ("GET", "same-site", "cors", 403),
        ("GET", "cross-site", "navigate", 200),
        ("POST", "cross-site", "navigate", 403),
        ("GET", "same-origin", "cors", 200),
        ("GET", "none", "navigate", 200),
    ],
)
def test_a_foreign_page_may_link_here_and_no_more(method: str, site: str, mode: str, status: int) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert ask(method, headers).status_code == status


def test_every_answer_has_the_rules_of_the_page() -> None:
    for response in (ask(), ask(headers={"Host": "evil.example"})):
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in response.headers


def test_a_large_body_is_refused_by_its_claim_and_by_its_size() -> None:
    async def endless() -> Any:
        for _ in range(BODY_MAX_BYTES // 65_536 + 2):
            yield bytes(65_536)

    assert ask("POST", content=bytes(BODY_MAX_BYTES)).status_code == 200
    assert ask("POST", content=bytes(BODY_MAX_BYTES + 1)).status_code == 413
    response = ask("POST", content=endless())
    assert response.status_code == 413
    assert code_of(response) == "too_large"


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guard, "BODY_TIMEOUT_S", 0.05)

    async def slow() -> Any:
        yield b"a"
        await asyncio.Event().wait()

    assert ask("POST", content=slow()).status_code == 408


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"host": HOST, "origin": "http://evil.example"}]
)
def test_a_foreign_live_socket_is_closed_before_it_opens(headers: dict[str, str]) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": "websocket", "path": "/v1/live", "headers": raw}
    asyncio.run(Guard(Echo(), frozenset({HOST}))(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
