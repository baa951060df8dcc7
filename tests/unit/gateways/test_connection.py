from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from uvicorn.server import ServerState

from zbus.gateways import _connection
from zbus.gateways._connection import PatientConnection
from zbus.gateways._server import _config

DEADLINE_S = 15.0
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Slow:
    """Answers once it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


class Served:
    """An application behind patient connections, and clients of it."""

    def __init__(self, app: Slow) -> None:
        self.app, self.state = app, ServerState()
        self._clients: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        config = _config(self.app)
        # Why: uvicorn's own patience with idle connections is not what is tested here.
        config.timeout_keep_alive = 3_600
        config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: PatientConnection(config=config, server_state=self.state, app_state={}), "127.0.0.1", 0
        )

    async def close(self) -> None:
        self._server.close()
        for client in self._clients:
            client.close()
            await asyncio.gather(client.wait_closed(), return_exceptions=True)
        async with asyncio.timeout(DEADLINE_S):
            while self.state.connections:
                await asyncio.sleep(0.001)

    async def connect(self, data: bytes = b"") -> Streams:
        address = self._server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address)
        self._clients.append(writer)
        writer.write(data)
        return reader, writer

    async def outwait(self) -> None:
        """Until a connection that was made later has been given up twice over."""
        for _ in range(2):
            reader, _writer = await self.connect()
            assert await reader.read() == b""


def with_server(scenario: Callable[[Served], Awaitable[None]]) -> None:
    async def run() -> None:
        served = Served(Slow())
        await served.open()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await scenario(served)
        finally:
            await served.close()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connection, "REQUEST_TIMEOUT_S", 0.1)


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: "])
def test_a_request_that_is_not_finished_is_given_up(data: bytes) -> None:
    async def scenario(served: Served) -> None:
        reader, _ = await served.connect(data)
        assert await reader.read() == b""
        assert not served.app.asked.is_set()

    with_server(scenario)


def test_an_answer_may_take_longer_than_a_request() -> None:
    async def scenario(served: Served) -> None:
        reader, _ = await served.connect(REQUEST)
        await served.app.asked.wait()
        await served.outwait()
        served.app.go.set()
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")

    with_server(scenario)


def test_after_its_answer_a_silent_connection_is_given_up() -> None:
    async def scenario(served: Served) -> None:
        served.app.go.set()
        reader, _ = await served.connect(REQUEST)
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""

    with_server(scenario)


def test_a_connection_that_keeps_asking_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []
    look = PatientConnection._look

    def counted(connection: PatientConnection, before: Any) -> None:
        look(connection, before)
        looks.append(connection.transport.is_closing())

    async def scenario(served: Served) -> None:
        served.app.go.set()
        reader, writer = await served.connect()
        while len(looks) < 3:
            writer.write(REQUEST)
            assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        assert not any(looks)

    # Why longer: a busy machine that stands still for the whole of it asks nothing meanwhile.
    monkeypatch.setattr(_connection, "REQUEST_TIMEOUT_S", 0.5)
    monkeypatch.setattr(PatientConnection, "_look", counted)
    with_server(scenario)


def test_a_connection_that_was_closed_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()
    again: list[Any] = []
    look, look_again = PatientConnection._look, PatientConnection._look_again

    def noted(connection: PatientConnection, before: Any) -> None:
        again.clear()
        look(connection, before)
        looked.set()

    def noted_again(connection: PatientConnection, before: Any) -> None:
        again.append(before)
        look_again(connection, before)

    async def scenario(served: Served) -> None:
        _, writer = await served.connect(b"GET")
        while not served.state.connections:
            await asyncio.sleep(0.001)
        writer.close()
        await looked.wait()
        assert again == []

    monkeypatch.setattr(PatientConnection, "_look", noted)
    monkeypatch.setattr(PatientConnection, "_look_again", noted_again)
    with_server(scenario)
