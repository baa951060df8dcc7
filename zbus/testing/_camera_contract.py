"""What every camera must keep to, ours and a stranger's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from zbus.cameras import Camera, Capture, Setting, UsesBuffers
from zbus.errors import CameraError

MakeCamera = Callable[[], Camera]

CHANNELS = {"mono8": 1, "mono16": 1, "bayer_rggb8": 1, "bgr8": 3, "rgb8": 3}
DEPTHS = {"mono8": "uint8", "mono16": "uint16", "bayer_rggb8": "uint8", "bgr8": "uint8", "rgb8": "uint8"}
CLOCK_SLACK_NS = 1_000_000_000


def check_camera(
    make_camera: MakeCamera,
    *,
    frames: int = 5,
    timeout_s: float = 5.0,
    change: Mapping[str, Setting] | None = None,
) -> None:
    """Assert all that a camera owes to its caller.

    `make_camera` returns a new closed camera that can give at least `frames` pictures. `timeout_s` is how
    long a picture may take. `change` is a setting that the camera takes while it is open, with a value other
    than the present one; None where all its settings are read-only.
    """
    check_identity(make_camera)
    check_captures(make_camera, frames, timeout_s)
    check_pictures_belong_to_the_receiver(make_camera, timeout_s)
    check_settings_match_pictures(make_camera, timeout_s)
    check_unknown_setting_is_refused(make_camera)
    if change is not None:
        check_configure_is_atomic(make_camera, change)
    check_reopening(make_camera, timeout_s)
    check_buffers(make_camera, frames, timeout_s)
    check_closed_camera_says_so(make_camera)


def check_identity(make_camera: MakeCamera) -> None:
    """A camera has the members of the protocol, and is made without acquiring anything."""
    camera = make_camera()
    assert isinstance(camera, Camera)
    assert camera.camera_id, "a camera has an id that is not empty"
    camera.close()


def check_captures(make_camera: MakeCamera, frames: int, timeout_s: float) -> None:
    """Numbers rise, times rise and belong together, the picture is what its format says."""
    camera = make_camera()
    camera.open()
    try:
        captures = [grab(camera, timeout_s) for _ in range(frames)]
    finally:
        camera.close()
    for capture in captures:
        check_capture(capture)
    for earlier, later in pairwise(captures):
        assert later.frame_number > earlier.frame_number, "frame_number must rise"
        assert later.mono_ns >= earlier.mono_ns, "mono_ns must not fall"


def check_capture(capture: Capture) -> None:
    """One capture is consistent in itself."""
    assert capture.frame_number >= 0
    assert capture.pixel_format in CHANNELS, f"unknown pixel_format {capture.pixel_format!r}"
    channels = capture.image.shape[2] if capture.image.ndim == 3 else 1
    assert channels == CHANNELS[capture.pixel_format], "the image has not the channels of its pixel_format"
    assert capture.image.dtype.name == DEPTHS[capture.pixel_format]
    assert capture.image.size > 0
    assert isinstance(capture.captured_ns, int), "times are whole nanoseconds"
    assert isinstance(capture.mono_ns, int), "times are whole nanoseconds"
    assert capture.mono_ns <= time.monotonic_ns(), "mono_ns lies in the future"
    if capture.clock == "host":
        apart_ns = (time.time_ns() - time.monotonic_ns()) - (capture.captured_ns - capture.mono_ns)
        assert abs(apart_ns) < CLOCK_SLACK_NS, "captured_ns and mono_ns were not read together"
    for event in capture.events:
        assert isinstance(event.get("event"), str), "an event names itself in its key `event`"


def check_pictures_belong_to_the_receiver(make_camera: MakeCamera, timeout_s: float) -> None:
    """The camera does not write into a picture that it has given."""
    camera = make_camera()
    camera.open()
    try:
        first = grab(camera, timeout_s).image
        kept = first.copy()
        grab(camera, timeout_s)
        assert (first == kept).all(), "a picture changed after it was given"
    finally:
        camera.close()


def check_settings_match_pictures(make_camera: MakeCamera, timeout_s: float) -> None:
    """Width, Height and PixelFormat say what the pictures are."""
    camera = make_camera()
    camera.open()
    try:
        capture, settings = grab(camera, timeout_s), camera.settings()
    finally:
        camera.close()
    assert (settings["Height"], settings["Width"]) == capture.image.shape[:2]
    assert settings["PixelFormat"] == capture.pixel_format
    assert all(type(value) in (bool, int, float, str) for value in settings.values())


def check_unknown_setting_is_refused(make_camera: MakeCamera) -> None:
    """A setting that does not exist is refused by name."""
    camera = make_camera()
    camera.open()
    try:
        error = refusal(lambda: camera.configure({"NoSuchSetting": 1}))
        assert "NoSuchSetting" in str(error), "the error must name the setting"
    finally:
        camera.close()


def check_configure_is_atomic(make_camera: MakeCamera, change: Mapping[str, Setting]) -> None:
    """A change is in force afterwards, and none of it where one of its settings is refused."""
    camera = make_camera()
    camera.open()
    try:
        before = camera.settings()
        assert any(before.get(name) != value for name, value in change.items()), (
            "change must change something"
        )
        refusal(lambda: camera.configure({**change, "NoSuchSetting": 1}))
        assert camera.settings() == before, "a refused change was applied in part"
        camera.configure(change)
        after = camera.settings()
        assert {name: after[name] for name in change} == dict(change)
    finally:
        camera.close()


def check_reopening(make_camera: MakeCamera, timeout_s: float) -> None:
    """A closed camera can be opened again."""
    camera = make_camera()
    camera.close()
    for _ in range(2):
        camera.open()
        check_capture(grab(camera, timeout_s))
        camera.close()
        camera.close()


def check_buffers(make_camera: MakeCamera, frames: int, timeout_s: float) -> None:
    """A camera that uses its owner's buffers fills each once, from its start, and does without where none is.

    A camera that knows nothing of buffers has nothing to keep to.
    """
    camera = make_camera()
    if not isinstance(camera, UsesBuffers):
        return
    given: list[NDArray[Any]] = []

    def make(shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any] | None:
        # Why every third none: a ring may have no slot to give.
        given.append(np.full(shape, 77, dtype))
        return None if len(given) % 3 == 0 else given[-1]

    camera.use_buffers(make)
    camera.open()
    try:
        captures = [grab(camera, timeout_s) for _ in range(frames)]
        kept = [capture.image.copy() for capture in captures[:-1]]
    finally:
        camera.close()
    for capture in captures:
        check_capture(capture)
        owners = [buffer for buffer in given if np.shares_memory(buffer, capture.image)]
        assert len(owners) <= 1, "a picture lies in two buffers"
        for owner in owners:
            assert capture.image.ctypes.data == owner.ctypes.data, "a picture begins where its buffer does"
            assert capture.image.flags.c_contiguous, "a picture lies in its buffer without gaps"
    for one, other in combinations(captures, 2):
        assert not np.shares_memory(one.image, other.image), "two pictures lie in one buffer"
    for capture, copy in zip(captures, kept, strict=False):
        assert (capture.image == copy).all(), "a picture changed after it was given"


def check_closed_camera_says_so(make_camera: MakeCamera) -> None:
    """A camera that is not open raises CameraError."""
    camera = make_camera()
    refusal(lambda: camera.grab(0.0))
    camera.open()
    camera.close()
    refusal(lambda: camera.grab(0.0))


def grab(camera: Camera, timeout_s: float) -> Capture:
    """The next capture within `timeout_s`, however often the camera gives none."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        capture = camera.grab(deadline_s - time.monotonic())
        if capture is not None:
            return capture
    raise AssertionError(f"camera {camera.camera_id} gave no picture within {timeout_s:g} s")


def refusal(call: Callable[[], object]) -> CameraError:
    """The CameraError that `call` raises."""
    try:
        call()
    except CameraError as error:
        return error
    raise AssertionError("a CameraError was expected and did not come")
