from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from zbus.cameras import EndOfStream, OpenCVCamera, OpenCVSettings
from zbus.cameras._opencv import MAX_FAILED_READS
from zbus.config import read_settings
from zbus.errors import CameraError, CameraLost, CameraNotFound, ConfigError


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, fake_capture: Any) -> Any:
    capture = fake_capture()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: capture)
    return capture


def opened(**settings: Any) -> OpenCVCamera:
    camera = OpenCVCamera("usb1", OpenCVSettings(**settings))
    camera.open()
    return camera


def test_a_device_gives_numbered_frames_with_the_drivers_time(device: Any) -> None:
    camera = opened()
    captures = [camera.grab(1.0) for _ in range(3)]
    assert [capture and capture.frame_number for capture in captures] == [0, 1, 2]
    assert [capture and capture.device_ns for capture in captures] == [1_234_500_000] * 3
    assert camera.settings()["PixelFormat"] == "bgr8"


def test_what_the_settings_ask_for_is_set(device: Any) -> None:
    camera = opened(width=800, height=600, fps=60.0, fourcc="MJPG", pixel_format="mono8")
    capture = camera.grab(1.0)
    assert capture is not None
    assert capture.image.shape == (600, 800)
    assert camera.settings()["AcquisitionFrameRate"] == 60.0
    assert device.values[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")


@pytest.mark.parametrize(
    ("stubborn", "settings", "told"),
    [
        (cv2.CAP_PROP_FPS, {"fps": 500.0}, "AcquisitionFrameRate"),
        (cv2.CAP_PROP_FRAME_WIDTH, {"width": 800, "height": 600}, "Width"),
        (cv2.CAP_PROP_FOURCC, {"fourcc": "MJPG"}, "fourcc"),
    ],
)
def test_a_driver_that_gives_something_else_is_told_and_released(
    monkeypatch: pytest.MonkeyPatch, fake_capture: Any, stubborn: int, settings: dict[str, Any], told: str
) -> None:
    capture = fake_capture(stubborn=(stubborn,))
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: capture)
    with pytest.raises(CameraError, match=told) as caught:
        opened(**settings)
    assert caught.value.next_step
    assert capture.released


def test_failed_reads_lose_the_camera_and_the_count_goes_on(device: Any) -> None:
    camera = opened()
    camera.grab(1.0)
    device.readable = False
    for _ in range(MAX_FAILED_READS - 1):
        assert camera.grab(1.0) is None
    with pytest.raises(CameraLost, match="stopped giving frames"):
        camera.grab(1.0)
    device.readable = True
    camera.close()
    camera.open()
    capture = camera.grab(1.0)
    assert capture is not None
    assert capture.frame_number == 1


def test_a_single_failed_read_is_forgiven(device: Any) -> None:
    camera = opened()
    for _ in range(2 * MAX_FAILED_READS):
        device.readable = False
        assert camera.grab(1.0) is None
        device.readable = True
        assert camera.grab(1.0) is not None


def test_settings_go_through_genicam_names(device: Any) -> None:
    camera = opened()
    camera.configure({"ExposureAuto": "Off", "ExposureTime": 2000})
    assert camera.settings()["ExposureTime"] == 2000.0
    with pytest.raises(CameraError, match="Width cannot be changed"):
        camera.configure({"Width": 320})


@pytest.mark.parametrize(
    ("device", "told"),
    [
        (9999, "there is no camera 9999"),
        ("9999", "there is no camera 9999"),
        ("/dev/no-such-camera", "there is no camera"),
        ("rtsp://127.0.0.1:9/none", "no stream answers"),
    ],
)
def test_a_missing_device_is_not_found(device: int | str, told: str) -> None:
    with pytest.raises(CameraNotFound, match=told) as caught:
        opened(device=device)
    assert caught.value.next_step


def test_what_is_no_video_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_bytes(b"nothing")
    with pytest.raises(CameraNotFound, match="is not a video"):
        opened(device=str(tmp_path / "clip.avi"))


def test_a_file_ends_and_nothing_of_it_can_be_set(tmp_path: Path) -> None:
    path = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    camera = opened(device=path)
    assert set(camera.settings()) == {"Width", "Height", "AcquisitionFrameRate", "PixelFormat"}
    with pytest.raises(CameraError, match="AcquisitionFrameRate cannot be changed"):
        camera.configure({"AcquisitionFrameRate": 10.0})
    assert camera.grab(1.0) is not None
    with pytest.raises(EndOfStream):
        camera.grab(1.0)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"device": -1}, "device"),
        ({"device": ""}, "device"),
        ({"width": 640}, "width"),
        ({"fps": -1.0}, "fps"),
        ({"fourcc": "MJ"}, "fourcc"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"pixel_format": "rgb8"}, "pixel_format"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(OpenCVSettings, values)
    assert caught.value.key == key


@pytest.mark.parametrize(("pixel_format", "direct_from"), [("auto", 1), ("mono8", 0)])
def test_pictures_are_put_into_given_buffers(device: Any, pixel_format: Any, direct_from: int) -> None:
    given: list[Any] = []

    def make(shape: Any, dtype: Any) -> Any:
        given.append(np.full(shape, 9, dtype))
        return given[-1]

    camera = OpenCVCamera("usb1", OpenCVSettings(pixel_format=pixel_format))
    camera.use_buffers(make)
    camera.open()
    for number in range(4):
        capture = camera.grab(1.0)
        assert capture is not None
        assert not capture.image.any()
        assert any(capture.image is buffer for buffer in given) is (number >= direct_from)
