"""The server itself: told when it answers, stopped, bounded. With viewers on a real bus: test_gateway.py."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from zbus.errors import TransportError
from zbus.gateways import GatewaySettings, _server
from zbus.gateways._listener import open_listener, url_of
from zbus.gateways._pump import Pump
from zbus.gateways._server import serve

from .conftest import DEADLINE_S

NOBODY = {"directory": "tcp://127.0.0.1:1", "subscribe": "tcp://127.0.0.1:1"}
SETTINGS = GatewaySettings("127.0.0.1:0", **NOBODY)


class Served:
    """A server in a thread; `error` is what it raised."""

    def __init__(self, settings: GatewaySettings = SETTINGS) -> None:
        self.urls: list[str] = []
        self.ready, self.stop = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self.listener = open_listener(settings)
        self._settings = settings
        self.thread = threading.Thread(target=self._run)

    def start(self) -> str:
        self.thread.start()
        assert self.ready.wait(DEADLINE_S)
        return self.urls[0]

    def end(self) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        if self.thread.ident is not None:
            self.thread.join(DEADLINE_S)
            assert not self.thread.is_alive()
        self.listener.close()

    def _on_ready(self, url: str) -> None:
        self.urls.append(url)
        self.ready.set()

    def _run(self) -> None:
        try:
            serve(self._settings, self.listener, self._on_ready, self.stop)
        except BaseException as error:  # noqa: BLE001
            self.error = error
        finally:
            self.ready.set()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.end()


def status(url: str) -> int:
    return httpx.get(f"{url}/v1/health", timeout=DEADLINE_S).status_code


def test_it_is_ready_once_with_the_address_of_its_listener_and_answers(served: Served) -> None:
    url = served.start()
    assert served.urls == [url_of(served.listener)]
    assert status(url) == 200


def test_it_ends_when_told_and_then_answers_nobody(served: Served) -> None:
    url = served.start()
    served.end()
    assert served.error is None
    with pytest.raises(httpx.ConnectError):
        status(url)


def test_who_is_stopped_before_the_start_ends_too(served: Served) -> None:
    served.stop.set()
    served.thread.start()
    served.join()
    assert served.error is None


def test_it_leaves_no_thread_behind(served: Served) -> None:
    served.start()
    served.end()
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"gateway-stop", "gateway-pump"}


def test_an_answer_does_not_tell_what_serves_it(served: Served) -> None:
    assert "server" not in httpx.get(f"{served.start()}/v1/health").headers


def test_a_bus_that_cannot_be_is_told() -> None:
    served = Served(GatewaySettings("127.0.0.1:0", directory="nowhere", subscribe="nowhere"))
    served.thread.start()
    served.join()
    assert isinstance(served.error, TransportError)
    assert served.urls == []


def test_a_view_that_is_lost_ends_the_server_with_its_error(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = TransportError("the bus broke", next_step="mend it")

    def fail(pump: Pump, *args: Any) -> None:
        raise lost

    monkeypatch.setattr(Pump, "_open_pictures", fail)
    url = served.start().replace("http", "ws")
    with connect(f"{url}/v1/live?camera=cam1") as viewer, pytest.raises(ConnectionClosed) as caught:
        while True:
            viewer.recv(DEADLINE_S)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, "the gateway stops")
    served.join()
    assert served.error is lost
    assert served.stop.is_set()


def test_only_so_many_connections_are_served(
    monkeypatch: pytest.MonkeyPatch, served: Served, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(_server, "CONNECTIONS_MAX", 3)
    url = served.start()
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as ends:
        for _ in range(2):
            ends.enter_context(socket.create_connection((host, int(port)), DEADLINE_S))
        wait_until(lambda: status(url) == 503)
    wait_until(lambda: status(url) == 200)


def test_a_connection_that_never_asks_does_not_keep_it_running(served: Served) -> None:
    url = served.start()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), DEADLINE_S) as idle:
        assert status(url) == 200
        served.end()
        assert idle.recv(100) == b""


@pytest.mark.parametrize(("size", "is_taken"), [(4_096, True), (4_097, False)])
def test_a_live_viewer_says_so_much_at_most(served: Served, size: int, is_taken: bool) -> None:
    url = served.start().replace("http", "ws")
    with connect(f"{url}/v1/live") as viewer:
        viewer.recv(DEADLINE_S)
        viewer.send("x" * size)
        if is_taken:
            assert viewer.ping().wait(DEADLINE_S)
        else:
            with pytest.raises(ConnectionClosed) as caught:
                viewer.recv(DEADLINE_S)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1009
