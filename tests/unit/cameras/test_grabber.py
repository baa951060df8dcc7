from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from zbus.cameras import Capture, EndOfStream, Grabber, SimCamera, SimSettings
from zbus.cameras import _grabber as grabber_module
from zbus.errors import CameraError, CameraLost, CameraNotFound

DEADLINE_S = 10.0


@dataclass(frozen=True)
class NoSettings:
    """A scripted camera has none."""


class ScriptedCamera:
    """Does what its scripts say, one entry a call: an error is raised, a function called, a number given."""

    Settings: ClassVar[type] = NoSettings

    def __init__(self, grabs: list[Any], opens: list[Any] | None = None) -> None:
        self.camera_id = "scripted"
        self.threads: set[str] = set()
        self.closed = 0
        self.gain = 1.0
        self._grabs, self._opens = grabs, opens or []
        self._idle = threading.Event()

    def open(self) -> None:
        self.threads.add(threading.current_thread().name)
        self._do(self._opens)

    def grab(self, timeout_s: float) -> Capture | None:
        number = self._do(self._grabs)
        if number is None:
            self._idle.wait(0.01)
            return None
        return Capture(np.zeros((2, 2), np.uint8), "mono8", number, time.time_ns(), time.monotonic_ns())

    def configure(self, changes: Mapping[str, Any]) -> None:
        self.threads.add(threading.current_thread().name)
        if "Gain" not in changes:
            raise KeyError("a slip of the plug-in")
        if changes["Gain"] > 10:
            raise CameraError("Gain is too high")
        self.gain = changes["Gain"]

    def settings(self) -> dict[str, Any]:
        return {"Gain": self.gain}

    def close(self) -> None:
        self.closed += 1

    def _do(self, script: list[Any]) -> Any:
        step = script.pop(0) if script else None
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step


class BlockingDriver:
    """A read that comes back when it is released."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()

    def read(self) -> None:
        self.entered.set()
        self.release.wait(DEADLINE_S)


class RecordingEvent(threading.Event):
    """Notes how long it was asked to wait, and does not; the fifth wait is its end."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits_s.append(timeout)
        return len(self.waits_s) == 5


class Owner:
    """Takes what a grabber has, woken by it."""

    def __init__(self, camera: Any, **options: Any) -> None:
        self._ready = threading.Event()
        self.grabber = Grabber(camera, on_ready=self._ready.set, **options)
        self.captures: list[Capture] = []
        self.states: list[str] = []

    def until(self, condition: Callable[[], bool], take: bool = True) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            self._ready.clear()
            self.captures += self.grabber.take() if take else []
            self.states += [change.state for change in self.grabber.take_changes()]
            if condition():
                return
            assert self._ready.wait(deadline_s - time.monotonic()), f"waited in vain in {self.grabber.state}"

    def numbers(self) -> list[int]:
        return [capture.frame_number for capture in self.captures]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber_module, "FIRST_RETRY_S", 0.001)
    monkeypatch.setattr(grabber_module, "LAST_RETRY_S", 0.004)


def test_captures_reach_the_owner_in_order() -> None:
    camera = ScriptedCamera([*range(4), EndOfStream("the reel is over")])
    owner = Owner(camera)
    with owner.grabber:
        owner.until(lambda: owner.grabber.state == "ended")
    assert owner.numbers() == [0, 1, 2, 3]
    assert owner.states == ["running", "ended"]
    assert owner.grabber.cause == "the reel is over"
    assert owner.grabber.counters == grabber_module.GrabCounters(grabbed=4)
    assert camera.closed == 1
    assert camera.threads == {"grab-scripted"}


def test_an_owner_that_does_not_take_loses_the_oldest_and_knows() -> None:
    owner = Owner(ScriptedCamera([*range(10), EndOfStream()]), queue_frames=3)
    with owner.grabber:
        owner.until(lambda: owner.grabber.state == "ended", take=False)
        assert [capture.frame_number for capture in owner.grabber.take()] == [7, 8, 9]
    counters = owner.grabber.counters
    assert (counters.grabbed, counters.dropped, counters.camera_lost_frames) == (10, 7, 0)


def test_a_lossless_grabber_holds_the_camera_up() -> None:
    owner = Owner(ScriptedCamera([*range(50), EndOfStream()]), queue_frames=2, lossless=True)
    with owner.grabber:
        owner.until(lambda: owner.grabber.state == "ended")
    assert owner.numbers() == list(range(50))
    assert owner.grabber.counters.dropped == 0


def test_a_lost_camera_is_opened_again_until_it_is_back() -> None:
    missing = [None, CameraNotFound("away"), CameraNotFound("away"), CameraNotFound("away")]
    camera = ScriptedCamera([0, 1, CameraLost("unplugged"), 0, 1, 5], missing)
    owner = Owner(camera)
    with owner.grabber:
        owner.until(lambda: len(owner.captures) == 5)
    assert owner.numbers() == [0, 1, 2, 3, 7]
    assert owner.states[:4] == ["running", "lost", "lost", "running"], "one change for each new cause"
    counters = owner.grabber.counters
    assert (counters.grabbed, counters.reopened, counters.camera_lost_frames) == (5, 1, 3)
    assert camera.closed >= 4


def test_a_plug_in_that_slips_is_told_and_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    owner = Owner(ScriptedCamera([0, ZeroDivisionError("a slip"), 1, EndOfStream()]))
    with caplog.at_level(logging.ERROR), owner.grabber:
        owner.until(lambda: owner.grabber.state == "ended")
    assert owner.states == ["running", "failed", "running", "ended"]
    assert owner.numbers() == [0, 1]
    assert "a slip" in caplog.text


def test_an_owner_that_slips_does_not_stop_the_camera(caplog: pytest.LogCaptureFixture) -> None:
    seen = threading.Event()

    def slip() -> None:
        if grabber.counters.grabbed == 3:
            seen.set()
        raise RuntimeError("the owner's slip")

    grabber = Grabber(ScriptedCamera([0, 1, 2]), on_ready=slip)
    with grabber:
        assert seen.wait(DEADLINE_S)
    assert "the owner's slip" in caplog.text


def test_retries_come_further_and_further_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber_module, "FIRST_RETRY_S", 0.2)
    monkeypatch.setattr(grabber_module, "LAST_RETRY_S", 1.0)
    pauses = RecordingEvent()
    owner = Owner(ScriptedCamera([], [CameraNotFound("away")] * 100))
    monkeypatch.setattr(owner.grabber, "_stop", pauses)
    with owner.grabber:
        owner.until(lambda: len(pauses.waits_s) >= 1)
    assert pauses.waits_s == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_wait_open_returns_once_the_camera_runs() -> None:
    with Grabber(ScriptedCamera([])) as grabber:
        grabber.wait_open(DEADLINE_S)
        assert grabber.state == "running"
        assert grabber.settings == {"Gain": 1.0}


def test_wait_open_raises_what_the_first_opening_raised() -> None:
    with Grabber(ScriptedCamera([], [CameraNotFound("no such device")] * 1000)) as grabber:
        with pytest.raises(CameraNotFound, match="no such device"):
            grabber.wait_open(DEADLINE_S)
        assert grabber.state == "lost"


def test_wait_open_wraps_what_is_no_camera_error() -> None:
    camera = ScriptedCamera([], [OSError("no memory")] * 1000)
    with Grabber(camera) as grabber, pytest.raises(CameraError, match="no memory"):
        grabber.wait_open(DEADLINE_S)


def test_wait_open_does_not_wait_for_ever() -> None:
    release = threading.Event()
    with Grabber(ScriptedCamera([], [release.wait])) as grabber:
        with pytest.raises(CameraError, match="did not open within"):
            grabber.wait_open(0.01)
        release.set()


def test_settings_change_on_the_cameras_thread() -> None:
    camera = ScriptedCamera([])
    with Grabber(camera) as grabber:
        grabber.wait_open(DEADLINE_S)
        assert grabber.configure({"Gain": 3.0}, DEADLINE_S) == {"Gain": 3.0}
        with pytest.raises(CameraError, match="too high"):
            grabber.configure({"Gain": 11.0}, DEADLINE_S)
        with pytest.raises(CameraError, match="a slip of the plug-in"):
            grabber.configure({"Nonsense": 1}, DEADLINE_S)
        assert grabber.state == "running"
    assert camera.threads == {"grab-scripted"}


def test_a_camera_that_is_away_refuses_settings_with_its_cause() -> None:
    with Grabber(ScriptedCamera([], [CameraNotFound("unplugged")] * 1000)) as grabber:
        with pytest.raises(CameraNotFound):
            grabber.wait_open(DEADLINE_S)
        with pytest.raises(CameraError, match=r"unplugged|not open yet"):
            grabber.configure({"Gain": 2.0}, DEADLINE_S)


def test_a_caller_that_gives_up_changes_nothing() -> None:
    driver = BlockingDriver()
    camera = ScriptedCamera([driver.read])
    with Grabber(camera) as grabber:
        assert driver.entered.wait(DEADLINE_S)
        with pytest.raises(CameraError, match="nothing was changed"):
            grabber.configure({"Gain": 2.0}, 0.01)
        driver.release.set()
        assert grabber.configure({"Gain": 4.0}, DEADLINE_S) == {"Gain": 4.0}


def test_close_returns_although_the_driver_blocks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(grabber_module, "CLOSE_TIMEOUT_S", 0.05)
    driver = BlockingDriver()
    camera = ScriptedCamera([driver.read])
    with Grabber(camera) as grabber:
        assert driver.entered.wait(DEADLINE_S)
    assert camera.closed == 0
    assert "still blocks" in caplog.text
    driver.release.set()
    grabber.close()


def test_close_interrupts_the_waiting_for_a_lost_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber_module, "FIRST_RETRY_S", 3600.0)
    owner = Owner(ScriptedCamera([], [CameraNotFound("away")]))
    with owner.grabber:
        owner.until(lambda: owner.grabber.state == "lost")
    assert not [thread for thread in threading.enumerate() if thread.name == "grab-scripted"]


def test_close_is_safe_before_and_twice() -> None:
    grabber = Grabber(ScriptedCamera([]))
    grabber.close()
    grabber.close()
    with Grabber(ScriptedCamera([])) as other:
        other.wait_open(DEADLINE_S)
    other.close()


def test_the_simulated_loss_is_survived() -> None:
    settings = SimSettings(width=160, height=120, fps=200.0, frames=60, lose_after_frames=10, lost_for_s=0.1)
    owner = Owner(SimCamera("sim1", settings), queue_frames=100)
    with owner.grabber:
        owner.until(lambda: owner.grabber.state == "ended")
    numbers, counters = owner.numbers(), owner.grabber.counters
    assert owner.states[0] == "running"
    assert "lost" in owner.states
    assert counters.reopened == 1
    assert counters.camera_lost_frames >= 15, "the arena lived on meanwhile"
    assert numbers[-1] - numbers[0] + 1 == counters.grabbed + counters.camera_lost_frames
    assert all(capture.events[0]["frame_number"] == capture.frame_number for capture in owner.captures)


def test_a_camera_that_can_puts_its_pictures_into_what_it_is_given():
    """And a capture that is dropped for want of room is forgotten: its memory is free again."""
    given: list[weakref.ref[Any]] = []
    enough = threading.Event()

    def make(shape: Any, dtype: Any) -> Any:
        array = np.empty(shape, dtype)
        given.append(weakref.ref(array))
        if len(given) > 20:
            enough.set()
        return array

    camera = SimCamera("sim1", SimSettings(width=160, height=120, pace="fast", frames=30))
    with Grabber(camera, 4, make_buffer=make) as grabber:
        assert enough.wait(DEADLINE_S)
        deadline_s = time.monotonic() + DEADLINE_S
        while grabber.state != "ended" and time.monotonic() < deadline_s:
            time.sleep(0.005)
        captures = grabber.take()
        alive = [array for ref in given if (array := ref()) is not None]
        assert [id(capture.image) for capture in captures] == [id(array) for array in alive]
        assert len(captures) == 4
