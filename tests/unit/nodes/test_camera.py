from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zbus.cameras import EndOfStream
from zbus.config import CameraPlan, CommandLine
from zbus.errors import CameraError, CameraLost, ConfigError, UnknownName
from zbus.nodes import _camera, make_camera, run_camera
from zbus.transport import Requester, Subscriber
from zbus.wire import JPEG

from .played import PlayedCamera, capture

SIM = CameraPlan("sim", {"animals": 2, "width": 160, "height": 120, "fps": 60.0})


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> type[PlayedCamera]:
    load = _camera.load_plugin
    monkeypatch.setattr(
        _camera, "load_plugin", lambda group, name: PlayedCamera if name == "played" else load(group, name)
    )
    PlayedCamera.script = []
    return PlayedCamera


def test_frames_truth_and_state_go_out(plan: Any, start: Any, listener: Any, runtime: Path) -> None:
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: len(listener.frames) > 10 and listener.counter("cam1", "published") > 0)
    state = listener.states["cam1"]
    ring = state.details["ring"]
    assert ring["slots"] == 60
    assert Path("/dev/shm", ring["name"]).exists()
    assert {key: value for key, value in state.details.items() if key != "ring"} == {
        "camera": "cam1",
        "source": "sim",
        "width": 160,
        "height": 120,
        "pixel_format": "mono8",
    }
    assert state.settings["AcquisitionFrameRate"] == 60.0
    assert [path.is_socket() for path in runtime.rglob("cam1.ipc")] == [True]


def test_a_jpeg_is_made_only_for_who_asks_and_is_not_counted_as_a_frame(
    plan: Any, start: Any, listener: Any
) -> None:
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: listener.counter("cam1", "published") > 10)
    assert listener.counter("cam1", "jpegs") == 0
    with Subscriber(plan.subscribe, "frame.jpeg/cam1/") as page:
        received = page.recv(20)
        assert received is not None
        assert (received.body.codec, received.body.width) == (JPEG, 160)
        listener.until(lambda: listener.counter("cam1", "jpegs") > 5)
    counters = listener.states["cam1"].counters
    assert counters["published"] <= counters["grabbed"]


def test_it_is_configured_and_refuses_what_is_no_setting(plan: Any, start: Any, listener: Any) -> None:
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: listener.state_of("cam1") == "running")
    with Requester(plan.directory) as requester:
        # A node may tell its state a moment before the directory has its name.
        listener.until(lambda: requester.request("nodes")["nodes"])
        done = requester.request("configure", {"settings": {"Gain": 2.0}}, target="cam1", timeout_s=20)
    assert done["settings"]["Gain"] == 2.0


def test_it_is_held_back_until_its_frames_are_wanted(plan: Any, start: Any, played: Any) -> None:
    played.script = [capture(number) for number in range(3)]
    held = CameraPlan("played", wait_for_subscriber=True)
    with Subscriber(plan.subscribe, "state/cam1/") as states:
        start(lambda reactor: run_camera("cam1", held, plan, reactor))
        while (received := states.recv(20)) is not None and "waiting" not in received.body.cause:
            pass
    assert len(played.script) == 3
    with Subscriber(plan.subscribe, "frame/cam1/", policy="every") as frames:
        assert [frames.recv(20).body.frame_number for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("held", [True, False])
def test_it_stops_while_it_waits(plan: Any, start: Any, held: bool, monkeypatch: Any, played: Any) -> None:
    if not held:
        monkeypatch.setattr(played, "open", lambda camera: __import__("time").sleep(0.5))
    node = start(
        lambda reactor: run_camera("c", CameraPlan("played", wait_for_subscriber=held), plan, reactor)
    )
    node.stop()
    assert node.error is None


def test_a_plug_ins_slip_costs_its_frame_and_not_the_node(
    plan: Any, start: Any, listener: Any, played: Any
) -> None:
    wrong = [
        capture(1, np.zeros((4, 6), np.float64)),
        capture(2, pixel_format="sepia"),
        capture(3, events=[{"event": "x", "what": object()}]),
    ]
    played.script = []
    start(lambda reactor: run_camera("cam1", CameraPlan("played"), plan, reactor))
    listener.until(lambda: listener.state_of("cam1") == "running")
    played.script = wrong
    listener.until(lambda: listener.state_of("cam1") == "degraded")
    listener.until(lambda: listener.counter("cam1", "refused") == 3)
    played.script = [capture(9)]
    listener.until(lambda: listener.state_of("cam1") == "running")
    assert listener.frames[-1] == 9


def test_lost_failed_found_and_ended_are_states(plan: Any, start: Any, listener: Any, played: Any) -> None:
    start(lambda reactor: run_camera("cam1", CameraPlan("played"), plan, reactor))
    listener.until(lambda: listener.state_of("cam1") == "running")
    played.script = [CameraLost("unplugged", next_step="plug it in")]
    listener.until(lambda: len(listener.fields_of("cam1", "camera_found")) == 1)
    (lost,) = listener.fields_of("cam1", "camera_lost")
    assert (lost["camera"], lost["cause"]) == ("cam1", "unplugged")
    played.script = [ZeroDivisionError("oops"), capture(5)]
    listener.until(lambda: len(listener.fields_of("cam1", "camera_found")) == 2)
    played.script = [capture(6), EndOfStream("the end")]
    listener.until(lambda: listener.state_of("cam1") == "ended")
    # The last picture is counted in the very state that tells of the end.
    assert listener.counter("cam1", "published") == 2
    assert listener.fields_of("cam1", "camera_ended")[0]["cause"] == "the end"


def test_a_camera_that_is_not_there_at_first_is_an_error(plan: Any, start: Any) -> None:
    node = start(lambda reactor: run_camera("c", CameraPlan("file", {"path": "nowhere.avi"}), plan, reactor))
    node.join()
    assert isinstance(node.error, CameraError)
    assert node.error.exit_code == 7


def test_a_driver_that_hangs_is_told(plan: Any, start: Any, played: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(_camera, "OPEN_TIMEOUT_S", 0.1)
    monkeypatch.setattr(played, "open", lambda camera: __import__("time").sleep(0.6))
    node = start(lambda reactor: run_camera("cam1", CameraPlan("played"), plan, reactor))
    node.join()
    assert "cam1 did not open within 0.1 s" in str(node.error)


def test_plans_that_cannot_be_are_refused_with_their_place() -> None:
    with pytest.raises(UnknownName, match="sepia"):
        make_camera("cam1", CameraPlan("sepia"))
    with pytest.raises(ConfigError) as caught:
        make_camera("cam1", CameraPlan("sim", {"fps": -1.0}), CommandLine())
    assert caught.value.key == "cameras.cam1.settings.fps"


def test_frames_lie_in_shared_memory_where_the_camera_drew_them(
    plan: Any, start: Any, runtime: Path, wait_until: Any, listener: Any
) -> None:
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: listener.counter("cam1", "published") > 0)
    (path,) = runtime.rglob("cam1.ipc")
    with Subscriber(f"ipc://{path}", "frame/cam1/", ring="view") as subscriber:
        seen = []

        def is_by_ring() -> bool:
            received = subscriber.recv(20)
            assert received is not None
            seen.append(received.body)
            return received.body.check is not None

        wait_until(is_by_ring)
        assert seen[-1].image.shape == (120, 160)
        assert seen[-1].image.std() > 1
        assert subscriber.counters.gaps == 0


def test_a_full_shared_memory_is_told_and_pixels_go_inline(
    plan: Any, start: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 56, in the node: the camera runs, and says what it does without."""
    monkeypatch.setattr("zbus.transport._ring_outlet.free_bytes", lambda: 1_000)
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: len(listener.frames) > 10 and "shared memory" in listener.states["cam1"].cause)
    state = listener.states["cam1"]
    assert state.state == "running"
    assert "no room for 4 pictures" in state.cause
    assert "no room for 4 pictures" in state.details["ring"]["why"]


def test_a_ring_can_be_turned_off(plan: Any, start: Any, listener: Any) -> None:
    start(lambda reactor: run_camera("cam1", replace(SIM, ring_s=0.0), plan, reactor))
    listener.until(lambda: len(listener.frames) > 10 and listener.counter("cam1", "published") > 0)
    assert listener.states["cam1"].details["ring"] == {"why": "ring_s is 0"}


def test_rings_of_cameras_that_died_are_swept_at_the_start(
    plan: Any, start: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = []
    monkeypatch.setattr(_camera, "sweep_rings", lambda: swept.append(True))
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: listener.frames)
    assert swept == [True]
