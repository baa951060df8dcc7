"""Rows M1, M4, M5, M6: what a client subscribes to is what the camera saw."""

import hashlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from numpy.typing import NDArray
from pymultivideo_rig import DEADLINE_S, Rig

from zbus.compat.pymultivideo import FrontEnd, FrontEndSettings
from zbus.errors import AddressInUse, UnknownName
from zbus.transport import Reactor
from zbus.wire import Frame

PictureOf = Callable[[Frame], NDArray[Any]]


def assert_seen_as_captured(rig: Rig, pictures: list[dict[str, Any]], picture_of: PictureOf) -> None:
    rig.until(lambda: all(picture["timestamp"] in rig.frames for picture in pictures))
    for picture in pictures:
        frame = rig.frames[picture["timestamp"]]
        assert (picture["height"], picture["width"]) == (frame.height, frame.width)
        assert picture["sha256"] == hashlib.sha256(picture_of(frame).tobytes()).hexdigest()


def test_the_example_client_sees_the_cameras_pixels(rig: Rig) -> None:
    rig.camera()
    rig.overlay_node()
    rig.serve(module="spinnaker")
    pictures = rig.run_client("example_client.py", rig.front_end(), 8)
    assert_seen_as_captured(rig, pictures, lambda frame: frame.image)
    assert {picture["unique_id"] for picture in pictures} == {"cam1-spinnaker"}
    boxes = [shapes[0].geometry for shapes in rig.overlays if shapes]
    assert boxes
    assert all(0 <= value < 100 for box in boxes for corner in box.values() for value in corner)


def test_color_comes_as_the_mosaic_of_the_picture_in_the_later_dialect(rig: Rig) -> None:
    def mosaic(frame: Frame) -> NDArray[Any]:
        image = frame.image
        rows, columns = np.indices(image.shape[:2])
        channel = np.where(rows % 2, np.where(columns % 2, 0, 1), np.where(columns % 2, 1, 2))
        return np.take_along_axis(image, channel[:, :, None], axis=2)

    rig.camera(pixel_format="bgr8")
    rig.overlay_node()
    rig.serve(dialect="msgpack")
    pictures = rig.run_client("msgpack_client.py", rig.front_end(), 5)
    assert_seen_as_captured(rig, pictures, mosaic)
    rig.until(lambda: any(shapes and shapes[0].verb == "DRAW_BOX" for shapes in rig.overlays))


@pytest.mark.parametrize(
    ("dialect", "script"), [("json", "example_client.py"), ("msgpack", "msgpack_client.py")]
)
def test_at_full_rate_every_frame_comes_once(rig: Rig, dialect: str, script: str) -> None:
    rig.camera()
    rig.serve(put_rate=0.0, dialect=dialect)
    pictures = rig.run_client(script, rig.front_end(), 30)
    rig.until(lambda: pictures[-1]["timestamp"] in rig.frames)
    assert_seen_as_captured(rig, pictures, lambda frame: frame.image)
    captured = [time_ns for time_ns in sorted(rig.frames) if time_ns >= pictures[0]["timestamp"]]
    assert [picture["timestamp"] for picture in pictures] == captured[:30]


def test_the_tick_goes_on_when_the_camera_does_not(rig: Rig) -> None:
    rig.camera(frames=10)
    rig.serve(put_rate=50.0)
    rig.until(lambda: rig.state_of() == "degraded")
    assert "ended" in rig.states["pymultivideo-cam1"].cause
    pictures = rig.run_client("example_client.py", rig.states["pymultivideo-cam1"].details, 5)
    assert {picture["timestamp"] for picture in pictures} == {max(rig.frames)}
    rig.until(lambda: rig.counter("sent") >= 5)


@pytest.mark.parametrize("name", ["server_config", "socket_config"])
def test_the_tick_is_what_pymultivideos_own_settings_say(rig: Rig, tmp_path: Path, name: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({name: {"put_rate": 20, "pull_rate": 5, "server_buffer_size": 10}}))
    rig.camera()
    rig.serve(config=str(config))
    rig.start_client("example_client.py", rig.front_end(), 1000)
    rig.until(lambda: 18 < rig.states["pymultivideo-cam1"].details["put_rate_hz"] < 22)


def test_a_camera_that_comes_back_is_served_again(rig: Rig) -> None:
    camera = rig.camera(seed=1)
    rig.serve()
    details = rig.front_end()
    camera.stop()
    rig.until(lambda: rig.state_of() == "degraded")
    assert "cam1" in rig.states["pymultivideo-cam1"].cause
    last_ns = max(rig.frames)
    rig.camera(seed=2)
    rig.until(lambda: rig.state_of() == "running")
    pictures = rig.run_client("example_client.py", details, 3)
    assert all(picture["timestamp"] > last_ns for picture in pictures)


def test_each_camera_has_its_own_pair_of_addresses(rig: Rig, tmp_path: Path) -> None:
    config = tmp_path / "camera_configs.json"
    config.write_text(json.dumps([{"unique_id": "cam2-ximea"}, {"server_config": {"put_rate": 30}}]))
    rig.camera("cam1")
    rig.camera("cam2", width=192)
    rig.serve("cam1")
    rig.serve("cam2", config=str(config))
    one = rig.run_client("example_client.py", rig.front_end("cam1"), 2)
    two = rig.run_client("example_client.py", rig.front_end("cam2"), 2)
    assert {(picture["unique_id"], picture["width"]) for picture in one} == {("cam1-zbus", 160)}
    assert {(picture["unique_id"], picture["width"]) for picture in two} == {("cam2-ximea", 192)}


def test_one_who_waits_from_the_start_gets_no_garbage(rig: Rig) -> None:
    with zmq.Context.instance().socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.LINGER, 0)
        port = subscriber.bind_to_random_port("tcp://127.0.0.1")
        subscriber.unbind(f"tcp://127.0.0.1:{port}")
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.connect(f"tcp://127.0.0.1:{port}")
        rig.serve(pub_address=f"tcp://localhost:{port}", put_rate=100.0)
        rig.camera()
        assert subscriber.poll(int(DEADLINE_S * 1000))
        message = json.loads(subscriber.recv())
    assert (message["height"], message["width"]) == (120, 160)
    rig.until(lambda: message["timestamp"] in rig.frames)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_stalled_subscriber_costs_the_others_nothing(rig: Rig) -> None:
    rig.camera(width=640, height=480)
    rig.serve(put_rate=0.0, dialect="msgpack")
    details = rig.front_end()
    stalled = rig.start_client("msgpack_client.py", details, 10_000)
    assert stalled.stdout and stalled.stdout.readline()
    os.kill(stalled.pid, signal.SIGSTOP)
    pictures = rig.run_client("msgpack_client.py", details, 60)
    captured = [time_ns for time_ns in sorted(rig.frames) if time_ns >= pictures[0]["timestamp"]]
    assert [picture["timestamp"] for picture in pictures] == captured[:60]


def test_an_unknown_camera_is_named_with_those_there_are(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zbus.nodes._tracker.CAMERA_WAIT_S", 0.5)
    rig.camera()
    rig.until(lambda: "cam1" in rig.states)
    with Reactor() as reactor, pytest.raises(UnknownName) as caught:
        FrontEnd.run(FrontEndSettings("cam9"), rig.broker, reactor)
    assert (caught.value.known, caught.value.exit_code) == (["cam1"], 4)


def test_an_address_that_is_taken_is_named(rig: Rig) -> None:
    rig.camera()
    rig.serve()
    taken = rig.front_end()["pub_address"]
    second = rig.serve(pub_address=taken)
    second.join()
    assert isinstance(second.error, AddressInUse)
    assert second.error.endpoint == taken
