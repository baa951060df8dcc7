import logging
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from zbus.cameras import Capture, EndOfStream, FileCamera, FileSettings
from zbus.config import read_settings
from zbus.errors import CameraNotFound, ConfigError

HEIGHT, WIDTH, FRAMES = 48, 64, 20


def write_video(path: Path, fourcc: str = "MJPG", fps: float = 25.0, color: bool = True) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), fps, (WIDTH, HEIGHT), color)
    assert writer.isOpened()
    for number in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3) if color else (HEIGHT, WIDTH), 10 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.avi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FRAMES):
        picture = np.full((HEIGHT, WIDTH), 10 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"frame{number}.png"), picture)
    return tmp_path


def opened(path: Path, **settings: Any) -> FileCamera:
    camera = FileCamera("file1", FileSettings(str(path), **({"pace": "fast"} | settings)))
    camera.open()
    return camera


def play(camera: FileCamera) -> tuple[list[Capture], str]:
    """All captures until the end, and how it ended."""
    captures = []
    try:
        while True:
            capture = camera.grab(5.0)
            assert capture is not None
            captures.append(capture)
    except EndOfStream as end:
        return captures, str(end)


def levels(captures: list[Capture]) -> list[int]:
    return [round(float(capture.image.mean()) / 10) for capture in captures]


def numbers(captures: list[Capture]) -> list[int]:
    return [capture.frame_number for capture in captures]


@pytest.mark.parametrize("pace", ["fast", "real_time"])
def test_a_video_is_played_whole(video: Path, pace: str) -> None:
    camera = opened(video, pace=pace, fps=400.0)
    captures, ending = play(camera)
    assert levels(captures) == numbers(captures) == list(range(FRAMES))
    assert ending == f"{video} ended"
    assert camera.settings()["FramesExpected"] == camera.settings()["FramesDecoded"] == FRAMES


def test_a_folder_is_played_whole(folder: Path) -> None:
    captures, _ = play(opened(folder))
    assert levels(captures) == numbers(captures) == list(range(FRAMES))
    assert {capture.pixel_format for capture in captures} == {"mono8"}


def test_auto_is_mono8_only_for_a_single_channel(tmp_path: Path, video: Path) -> None:
    gray = write_video(tmp_path / "gray.avi", fourcc="FFV1", color=False)
    captures, _ = play(opened(gray))
    assert captures[0].pixel_format == "mono8"
    assert [int(capture.image[0, 0]) for capture in captures] == [10 * number for number in range(FRAMES)]
    assert play(opened(video))[0][0].pixel_format == "bgr8"


@pytest.mark.parametrize(
    ("pixel_format", "shape"), [("mono8", (HEIGHT, WIDTH)), ("bgr8", (HEIGHT, WIDTH, 3))]
)
def test_a_format_asked_for_is_given(tmp_path: Path, pixel_format: str, shape: tuple[int, ...]) -> None:
    for path in (
        write_video(tmp_path / "gray.avi", "FFV1", color=False),
        write_video(tmp_path / "color.avi"),
    ):
        captures, _ = play(opened(path, pixel_format=pixel_format))
        assert {capture.image.shape for capture in captures} == {shape}
        assert levels(captures) == list(range(FRAMES))


def test_a_loop_counts_on(video: Path) -> None:
    camera = opened(video, loop=True, start_frame=15)
    captures = [capture for _ in range(12) if (capture := camera.grab(1.0)) is not None]
    assert numbers(captures) == list(range(15, 27))
    assert levels(captures) == [15, 16, 17, 18, 19] * 2 + [15, 16]


def test_open_starts_from_the_beginning(video: Path) -> None:
    camera = opened(video)
    camera.grab(1.0)
    camera.open()
    assert numbers(play(camera)[0]) == list(range(FRAMES))


def test_real_time_keeps_the_rate_of_the_file(video: Path) -> None:
    camera = opened(video, pace="real_time", fps=100.0)
    captures = [camera.grab(5.0) for _ in range(10)]
    first = captures[0]
    assert first is not None
    for capture in captures:
        assert capture is not None
        assert capture.mono_ns >= first.mono_ns + capture.frame_number * 10_000_000 - 1_000_000


def test_a_late_caller_gets_every_frame(video: Path) -> None:
    camera = opened(video, pace="real_time", fps=500.0)
    first = camera.grab(5.0)
    assert first is not None
    while time.monotonic_ns() < first.mono_ns + 20_000_000:
        pass
    assert numbers(play(camera)[0]) == list(range(1, FRAMES))


def test_the_rate_is_the_files_unless_told(video: Path, folder: Path) -> None:
    assert opened(video).settings()["AcquisitionFrameRate"] == 25.0
    assert opened(video, fps=60.0).settings()["AcquisitionFrameRate"] == 60.0
    (folder / "clip.avi").unlink(missing_ok=True)
    assert opened(folder).settings()["AcquisitionFrameRate"] == 30.0


def test_grab_gives_nothing_where_the_frame_is_not_due_in_time(video: Path) -> None:
    camera = opened(video, pace="real_time", fps=0.1)
    camera.grab(1.0)
    assert camera.grab(0.01) is None
    camera.configure({"AcquisitionFrameRate": 1000.0})
    assert camera.grab(1.0) is not None


def test_a_video_cut_in_the_middle_tells_what_is_missing(
    video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 6 // 10])
    camera = opened(video)
    with caplog.at_level(logging.WARNING):
        captures, ending = play(camera)
    assert 0 < len(captures) < FRAMES
    assert f"ended early: {len(captures)} of {FRAMES} frames" in ending
    assert ending in caplog.text
    assert camera.settings()["FramesExpected"] == FRAMES
    assert camera.settings()["FramesDecoded"] == len(captures)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "there is no file"), (b"", "is empty"), (b"no video at all" * 100, "is not a video")],
)
def test_what_cannot_be_played_is_not_found(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "clip.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraNotFound, match=told) as caught:
        opened(path)
    assert caught.value.next_step


def test_a_start_beyond_the_end_is_not_found(video: Path) -> None:
    with pytest.raises(CameraNotFound, match="start_frame 20"):
        opened(video, start_frame=FRAMES)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({}, "path"),
        ({"path": ""}, "path"),
        ({"path": "x", "fps": -1.0}, "fps"),
        ({"path": "x", "start_frame": -1}, "start_frame"),
        ({"path": "x", "pace": "slow"}, "pace"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(FileSettings, values)
    assert caught.value.key == key


@pytest.mark.parametrize(("pixel_format", "direct_from"), [("auto", 1), ("mono8", 0)])
def test_pictures_are_decoded_into_given_buffers(video: Path, pixel_format: Any, direct_from: int) -> None:
    """The first picture is decoded before anybody gives a buffer; what is converted always lies in one."""
    expected = play(opened(video, pixel_format=pixel_format))[0]
    given: list[Any] = []

    def make(shape: Any, dtype: Any) -> Any:
        given.append(np.full(shape, 9, dtype))
        return given[-1]

    camera = FileCamera("file1", FileSettings(str(video), pace="fast", pixel_format=pixel_format))
    camera.use_buffers(make)
    camera.open()
    captures, _ = play(camera)
    assert len(captures) == FRAMES
    for number, capture in enumerate(captures):
        assert np.array_equal(capture.image, expected[number].image)
        is_given = any(capture.image is buffer for buffer in given)
        assert is_given is (number >= direct_from)
