from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zbus.config import CameraPlan, TrackerPlan
from zbus.config._rig import RigFile
from zbus.errors import ConfigError, RequestTimeout, UnknownName
from zbus.nodes import _tracker, find_frames, make_tracker, run_camera, run_tracker
from zbus.transport import FRAMES_OUT, Publisher, Reactor, RingPlan
from zbus.wire import FRAME, Topic, frame_of_image

from .played import PlayedTracker

SIM = CameraPlan("sim", {"animals": 2, "width": 160, "height": 120, "fps": 60.0})


@pytest.fixture
def played(plan: Any, monkeypatch: pytest.MonkeyPatch) -> PlayedTracker:
    tracker = PlayedTracker()
    monkeypatch.setattr(_tracker, "make_tracker", lambda *args: tracker)
    found = (plan.subscribe, Topic("frame", "cam1"))
    monkeypatch.setattr(_tracker, "find_pictures", lambda camera, broker, reactor: found)
    return tracker


@pytest.fixture
def camera(plan: Any) -> Any:
    """Publishes pictures as it is told."""
    with Publisher("cam1", link=FRAMES_OUT, connect=[plan.publish]) as publisher:
        yield publisher


def show(camera: Publisher, number: int, image: Any) -> None:
    frame = frame_of_image(
        image, "mono8", camera="cam1", frame_number=number, captured_ns=number, mono_ns=number
    )
    camera.send(Topic(FRAME, "cam1"), frame)


def ready(camera: Publisher, wait_until: Any, listener: Any, node: str = "t1") -> None:
    """Until the tracker listens, and somebody listens to it."""
    listener.until(lambda: listener.state_of(node))
    number = 0

    def reaches() -> bool:
        nonlocal number
        number += 1
        show(camera, number, np.zeros((4, 6), np.uint8))
        return bool(listener.tracks)

    wait_until(reaches)


def test_frames_come_from_the_camera_itself_and_tracks_carry_their_numbers(
    plan: Any, start: Any, listener: Any
) -> None:
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    start(lambda reactor: run_tracker("t1", TrackerPlan("cam1", settings={"animals": 2}), plan, reactor))
    listener.until(lambda: len(listener.tracks) > 10 and listener.counter("t1", "tracked") > 0)
    state = listener.states["t1"]
    assert (state.role, state.details["camera"]) == ("tracker", "cam1")
    assert state.details["frames_from"].startswith("ipc://")
    assert state.settings == {"tracker": "blob", "animals": 2}
    assert listener.tracks == sorted(listener.tracks)


def test_a_camera_that_is_not_there_is_named_with_those_that_are(
    plan: Any, start: Any, listener: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(_tracker, "CAMERA_WAIT_S", 0.5)
    start(lambda reactor: run_camera("cam1", SIM, plan, reactor))
    listener.until(lambda: listener.state_of("cam1") == "running")
    node = start(lambda reactor: run_tracker("t1", TrackerPlan("cam2"), plan, reactor))
    node.join()
    assert isinstance(node.error, UnknownName)
    assert (node.error.name, node.error.known) == ("cam2", ["cam1"])


def test_a_broker_that_is_not_there_is_an_error_in_the_end(nowhere: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(_tracker, "CAMERA_WAIT_S", 0.2)
    monkeypatch.setattr(_tracker, "ASK_TIMEOUT_S", 0.1)
    with Reactor() as reactor, pytest.raises(RequestTimeout):
        find_frames("cam1", nowhere, reactor)


def test_it_stops_while_it_waits_for_its_camera(plan: Any, start: Any) -> None:
    node = start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
    node.stop()
    assert node.error is None


def test_a_picture_of_another_size_begins_anew(
    plan: Any, start: Any, listener: Any, camera: Any, played: Any, wait_until: Any, caplog: Any
) -> None:
    start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
    ready(camera, wait_until, listener)
    assert played.resets == 0
    show(camera, 1_000, np.zeros((8, 10), np.uint8))
    listener.until(lambda: 1_000 in listener.tracks)
    assert played.resets == 1
    assert played.shapes[-1] == (8, 10)
    assert "10 x 8 mono8 now" in caplog.text


def test_a_frame_that_fails_is_counted_and_the_next_one_tracked(
    plan: Any, start: Any, listener: Any, camera: Any, played: Any, wait_until: Any, caplog: Any
) -> None:
    start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
    ready(camera, wait_until, listener)
    for number in range(2_000, 2_003):
        show(camera, number, np.full((4, 6), 255, np.uint8))
    listener.until(lambda: listener.state_of("t1") == "degraded")
    listener.until(lambda: listener.counter("t1", "failed") == 3)
    assert "ZeroDivisionError: blinded" in listener.states["t1"].cause
    show(camera, 3_000, np.zeros((4, 6), np.uint8))
    listener.until(lambda: listener.state_of("t1") == "running")
    assert listener.tracks[-1] == 3_000
    # Not a traceback for each frame of a plug-in that is broken: the first, the second, the fourth, ...
    assert caplog.text.count("Traceback") == 2


def test_a_second_camera_on_the_topic_is_told_once(
    played: PlayedTracker, plan: Any, start: Any, listener: Any, camera: Publisher, wait_until: Any
) -> None:
    """Also where neither has announced itself, so that the directory knows of none."""
    start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
    ready(camera, wait_until, listener)
    image = np.zeros((4, 6), np.uint8)
    with Publisher("cam1", link=FRAMES_OUT, connect=[plan.publish]) as second:

        def both_send() -> bool:
            for each in (camera, second):
                show(each, 1_000, image)
            return bool(listener.fields_of("t1", "duplicate_publisher"))

        wait_until(both_send)
        tracked = len(listener.tracks)
        wait_until(lambda: both_send() and len(listener.tracks) > tracked + 5)
    (told,) = listener.fields_of("t1", "duplicate_publisher")
    assert told == {"topic": "frame/cam1/", "sessions": sorted([camera.session, second.session])}


def test_gaps_are_told_on_the_bus(
    plan: Any, start: Any, listener: Any, camera: Any, played: Any, wait_until: Any
) -> None:
    start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
    ready(camera, wait_until, listener)
    camera._seq[Topic(FRAME, "cam1")] += 5
    show(camera, 4_000, np.zeros((4, 6), np.uint8))
    listener.until(lambda: listener.fields_of("t1", "gap"))
    (told,) = listener.fields_of("t1", "gap")
    assert (told["topic"], told["lost"]) == ("frame/cam1/", 5)
    listener.until(lambda: listener.counter("t1", "lost") == 5)


def test_settings_of_the_detector_are_told_by_their_place_in_the_file(tmp_path: Any) -> None:
    path = tmp_path / "rig.toml"
    plan = '[trackers.t1]\ncamera = "c"\n[trackers.t1.settings.detector_settings]\nmin = 3\n'
    path.write_text(f'[cameras.c]\nsource = "sim"\n{plan}')
    rig = RigFile(path).load()
    with pytest.raises(ConfigError) as caught:
        make_tracker("t1", rig.trackers["t1"], rig.place)
    assert caught.value.line == 6
    assert caught.value.key == "trackers.t1.settings.detector_settings.min"
    with pytest.raises(ConfigError) as caught:
        make_tracker("t1", rig.trackers["t1"])
    assert caught.value.path == ""


def test_a_frame_that_is_overwritten_while_it_is_tracked_gives_no_tracks(
    plan: Any, start: Any, listener: Any, monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> None:
    """Row 57, in the node: what was made of a torn picture is thrown away, counted and told."""
    with Publisher("cam1", link=FRAMES_OUT, connect=[plan.publish], ring=RingPlan(seconds=0.05)) as camera:
        tracker = PlayedTracker()
        monkeypatch.setattr(_tracker, "make_tracker", lambda *args: tracker)
        found = (plan.subscribe, Topic(FRAME, "cam1"))
        monkeypatch.setattr(_tracker, "find_pictures", lambda camera, broker, reactor: found)
        start(lambda reactor: run_tracker("t1", TrackerPlan("cam1"), plan, reactor))
        ready(camera, wait_until, listener)
        outlet = camera.ring_of(Topic(FRAME, "cam1"))
        assert outlet is not None
        update = tracker.update

        def overwrite(image: Any, mono_ns: int) -> Any:
            for _ in range(outlet.slots):
                outlet.place(bytes(24))
            return update(image, mono_ns)

        monkeypatch.setattr(tracker, "update", overwrite)
        numbers = iter(range(10_000, 20_000))
        wait_until(lambda: show(camera, next(numbers), np.zeros((4, 6), np.uint8)) or told(listener))
        (cause, lost) = told(listener)[0]
        assert (cause, lost) == ("overwritten while it was tracked", 1)
        listener.until(lambda: listener.counter("t1", "frames_overwritten") > 0)


def told(listener: Any) -> list[tuple[str, int]]:
    listener.until(lambda: True)
    gaps = listener.fields_of("t1", "gap")
    return [(each["cause"], each["lost"]) for each in gaps if "tracked" in each["cause"]]
