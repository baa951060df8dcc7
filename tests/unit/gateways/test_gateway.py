"""A gateway as a whole: on a real bus, with real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from zbus.errors import AddressInUse, ExposedAddress, ZbusError
from zbus.gateways import GatewaySettings, _gateway, run_gateway
from zbus.transport import FRAMES_OUT, Publisher
from zbus.wire import FRAME, JPEG_RENDITION, STATE, Topic

from .conftest import DEADLINE_S
from .messages import picture, state

JPEG_TOPIC = Topic(FRAME, "cam1", JPEG_RENDITION)


class Camera(threading.Thread):
    """Says that it runs, and sends pictures while somebody wants them."""

    def __init__(self, publish: str) -> None:
        super().__init__()
        self._publish = publish
        self.done = threading.Event()
        self.wanted = False

    def run(self) -> None:
        with Publisher("cam1", link=FRAMES_OUT, connect=[self._publish]) as publisher:
            number = 0
            while not self.done.wait(0.02):
                publisher.send(Topic(STATE, "cam1"), state("cam1").body)
                self.wanted = publisher.wants_rendition(JPEG_TOPIC)
                if self.wanted:
                    number += 1
                    publisher.send(JPEG_TOPIC, picture("cam1", number, data=b"JPEG" * 20_000).body)


@pytest.fixture
def camera(endpoints: Mapping[str, str]) -> Iterator[Camera]:
    thread = Camera(endpoints["publish"])
    thread.start()
    yield thread
    thread.done.set()
    thread.join(DEADLINE_S)


def eventually(happens: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not happens():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def health(address: str) -> dict[str, object]:
    return httpx.get(f"http://{address}/v1/health").json()


def knows_camera(address: str) -> bool:
    return len(httpx.get(f"http://{address}/v1/cameras").json()["cameras"]) == 1


def live(address: str, **more: object) -> ClientConnection:
    return connect(f"ws://{address}/v1/live?camera=cam1", **more)  # type: ignore[arg-type]


def next_picture(viewer: ClientConnection) -> tuple[dict[str, object], bytes]:
    while not isinstance(message := viewer.recv(DEADLINE_S), bytes):
        pass
    length = int.from_bytes(message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def test_pictures_reach_a_viewer_and_are_wanted_only_meanwhile(
    serve: Callable[..., str], camera: Camera
) -> None:
    address = serve()
    eventually(lambda: knows_camera(address))
    assert not camera.wanted
    with live(address) as viewer:
        assert json.loads(viewer.recv(DEADLINE_S))["type"] == "hello"
        header, jpeg = next_picture(viewer)
        assert header["camera"] == "cam1"
        assert jpeg == b"JPEG" * 20_000
        assert camera.wanted
    eventually(lambda: not camera.wanted)


def test_a_snapshot_is_one_picture(serve: Callable[..., str], camera: Camera) -> None:
    address = serve()
    eventually(lambda: knows_camera(address))
    answer = httpx.get(f"http://{address}/v1/cameras/cam1/snapshot.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert int(answer.headers["zbus-frame-number"]) > 0
    assert answer.content == b"JPEG" * 20_000


def test_a_stream_is_pictures_in_parts_and_gives_its_seat_back(
    serve: Callable[..., str], camera: Camera
) -> None:
    address = serve(viewers_max=1)
    eventually(lambda: knows_camera(address))
    url = f"http://{address}/v1/cameras/cam1/stream.mjpg"
    with httpx.stream("GET", url) as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        parts = answer.iter_bytes(200)
        start = next(parts)
        assert start.startswith(b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: 80000\r\n\r\nJPEG")
        assert httpx.get(url).status_code == 503
        assert health(address)["viewers"] == 1
    eventually(lambda: health(address)["viewers"] == 0)
    eventually(lambda: not camera.wanted)


def test_one_viewer_too_many_is_told_to_come_later(serve: Callable[..., str], camera: Camera) -> None:
    address = serve(viewers_max=1)
    with live(address) as first:
        first.recv(DEADLINE_S)
        with live(address) as second, pytest.raises(ConnectionClosed) as caught:
            second.recv(DEADLINE_S)
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason[:10]) == (1013, "1 viewers ")
    eventually(lambda: health(address)["viewers"] == 0)


def test_a_viewer_who_does_not_read_slows_nobody(serve: Callable[..., str], camera: Camera) -> None:
    address = serve()
    eventually(lambda: knows_camera(address))
    with live(address, max_queue=1, close_timeout=0.1) as sleeper, live(address) as viewer:
        sleeper.recv(DEADLINE_S)
        numbers = [next_picture(viewer)[0]["frame_number"] for _ in range(40)]
        assert numbers == sorted(numbers)
        assert health(address)["dropped"] == 0


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_gets_no_live_socket(serve: Callable[..., str], headers: dict[str, str]) -> None:
    address = serve()
    with pytest.raises(InvalidStatus), live(address, additional_headers=headers):
        pass


def test_a_large_message_ends_only_its_viewer(serve: Callable[..., str]) -> None:
    address = serve()
    with live(address) as viewer:
        with contextlib.suppress(ConnectionClosed):
            viewer.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            while True:
                viewer.recv(DEADLINE_S)
    assert health(address)["version"]


def test_what_is_no_camera_id_is_refused(serve: Callable[..., str]) -> None:
    address = serve()
    with (
        connect(f"ws://{address}/v1/live?camera=..%2F..") as viewer,
        pytest.raises(ConnectionClosed) as caught,
    ):
        viewer.recv(DEADLINE_S)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


def test_stopping_lets_viewers_go(endpoints: Mapping[str, str], camera: Camera) -> None:
    stop, ready, urls = threading.Event(), threading.Event(), list[str]()
    settings = GatewaySettings("127.0.0.1:0", endpoints["directory"], endpoints["subscribe"])

    def on_ready(url: str) -> None:
        urls.append(url)
        ready.set()

    thread = threading.Thread(target=lambda: run_gateway(settings, on_ready=on_ready, stop=stop))
    thread.start()
    assert ready.wait(DEADLINE_S)
    address = urls[0].removeprefix("http://")
    eventually(lambda: knows_camera(address))
    with (
        live(address) as viewer,
        live(address, max_queue=1, close_timeout=0.1) as sleeper,
        httpx.stream("GET", f"{urls[0]}/v1/cameras/cam1/stream.mjpg") as answer,
    ):
        sleeper.recv(DEADLINE_S)
        parts = answer.iter_bytes(200)
        next(parts)
        stop.set()
        with pytest.raises(ConnectionClosed):
            while True:
                viewer.recv(DEADLINE_S)
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(number: int) -> None:
    code = (
        "from zbus.gateways import *; tell = lambda url: print(url, flush=True); "
        "run_gateway(GatewaySettings('127.0.0.1:0'), on_ready=tell); print('ended')"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(DEADLINE_S) == 0
        assert process.stdout.read() == "ended\n"
        assert process.stderr.read() == ""


def test_nothing_runs_where_it_cannot_listen(endpoints: Mapping[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(AddressInUse):
            run_gateway(GatewaySettings(bind))
    with pytest.raises(ExposedAddress):
        run_gateway(GatewaySettings("0.0.0.0:0"))


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gateway, "find_spec", lambda name: None if name == "fastapi" else object())
    with pytest.raises(ZbusError, match="fastapi") as caught:
        run_gateway(GatewaySettings("127.0.0.1:0"))
    assert "zbus-rig[gateway]" in caught.value.next_step
