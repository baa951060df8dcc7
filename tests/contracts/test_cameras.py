"""The camera contract, on every camera that zbus brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from zbus.cameras import FileCamera, FileSettings, OpenCVCamera, OpenCVSettings, SimCamera, SimSettings
from zbus.errors import CameraError
from zbus.testing._camera_contract import check_buffers, check_camera, check_captures

HEIGHT, WIDTH, FRAMES = 48, 64, 8


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 100.0, (WIDTH, HEIGHT))
    for level in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), level * 20, np.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for level in range(FRAMES):
        cv2.imwrite(str(tmp_path / f"frame{level}.png"), np.full((HEIGHT, WIDTH), level * 20, np.uint8))
    return tmp_path


@pytest.mark.parametrize("pixel_format", ["mono8", "bgr8"])
@pytest.mark.parametrize("pace", ["real_time", "fast"])
def test_sim(pixel_format: Any, pace: Any) -> None:
    settings = SimSettings(width=160, height=120, fps=200.0, pixel_format=pixel_format, pace=pace)
    check_camera(lambda: SimCamera("sim1", settings), change={"Gain": 6.0, "AcquisitionFrameRate": 100.0})


@pytest.mark.parametrize("pixel_format", ["auto", "mono8", "bgr8"])
@pytest.mark.parametrize("pace", ["real_time", "fast"])
def test_video_file(video: Path, pixel_format: Any, pace: Any) -> None:
    settings = FileSettings(path=str(video), pixel_format=pixel_format, pace=pace)
    check_camera(lambda: FileCamera("file1", settings), change={"AcquisitionFrameRate": 50.0})


def test_picture_folder(folder: Path) -> None:
    settings = FileSettings(path=str(folder), fps=200.0)
    check_camera(lambda: FileCamera("file2", settings), change={"AcquisitionFrameRate": 50.0})


def test_opencv_on_a_video(video: Path) -> None:
    check_camera(lambda: OpenCVCamera("usb1", OpenCVSettings(device=str(video))))


class StuckCounter(SimCamera):
    """Gives every frame the number 0."""

    def grab(self, timeout_s: float) -> Any:
        capture = super().grab(timeout_s)
        return capture and type(capture)(capture.image, "mono8", 0, capture.captured_ns, capture.mono_ns)


class HalfHearted(SimCamera):
    """Applies what it knows before it refuses the rest."""

    def configure(self, changes: Any) -> None:
        for name, value in changes.items():
            super().configure({name: value})


class Amnesiac(SimCamera):
    """Gives pictures although it was closed."""

    def grab(self, timeout_s: float) -> Any:
        self.open()
        return super().grab(timeout_s)


@pytest.mark.parametrize("broken", [StuckCounter, HalfHearted, Amnesiac])
def test_the_contract_finds_a_broken_camera(broken: Callable[..., SimCamera]) -> None:
    settings = SimSettings(width=160, height=120, pace="fast")
    with pytest.raises(AssertionError):
        check_camera(lambda: broken("bad", settings), change={"Gain": 6.0})


def test_a_camera_that_cannot_open_is_not_hidden() -> None:
    with pytest.raises(CameraError):
        check_captures(lambda: FileCamera("none", FileSettings(path="no-such-file")), 1, 1.0)


class OneBuffer(SimCamera):
    """Draws every picture into the first buffer that it was given."""

    def use_buffers(self, make: Any) -> None:
        given: list[Any] = []

        def once(shape: Any, dtype: Any) -> Any:
            given.append(make(shape, dtype) if not given else given[0])
            return given[0]

        super().use_buffers(once)


def test_a_camera_that_fills_a_buffer_twice_is_found() -> None:
    settings = SimSettings(width=160, height=120, pace="fast")
    with pytest.raises(AssertionError, match="two pictures lie in one buffer"):
        check_buffers(lambda: OneBuffer("sim1", settings), 5, 5.0)


class WithoutBuffers:
    """A camera of somebody who never heard of buffers."""

    Settings = SimSettings

    def __init__(self) -> None:
        self.camera_id = "plain"
        self._camera = SimCamera("plain", SimSettings(width=160, height=120, pace="fast"))
        self.open, self.grab, self.close = self._camera.open, self._camera.grab, self._camera.close
        self.configure, self.settings = self._camera.configure, self._camera.settings


def test_a_camera_that_knows_no_buffers_keeps_the_contract() -> None:
    check_camera(WithoutBuffers, change={"Gain": 6.0})
