"""What a camera is: the seam between sources of pictures and the bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from numpy.typing import NDArray

Setting = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Capture:
    """One picture as the camera gave it.

    `image` is row-major, (height, width) or (height, width, channels), and belongs to the receiver: the
    camera will not write into it again. `pixel_format` says what the numbers mean (`mono8`, `bgr8`, ...).
    `captured_ns` is UTC and `mono_ns` this host's monotonic clock, both at the grab. `clock` names what
    `captured_ns` was read from (`host`, `device`). `device_ns` is the camera's own counter, where it
    has one. `frame_number` counts what the camera made: a gap means that the camera lost frames.
    `events` are plain maps the camera tells about this frame (a ground truth, a trigger line).
    """

    image: NDArray[Any]
    pixel_format: str
    frame_number: int
    captured_ns: int
    mono_ns: int
    clock: str = "host"
    device_ns: int | None = None
    events: tuple[Mapping[str, Any], ...] = field(default=())


@runtime_checkable
class Camera(Protocol):
    """A source of pictures. Made cheaply; acquires its device in `open` and gives it back in `close`.

    A plug-in is a class with a frozen dataclass `Settings` and a constructor
    `(camera_id: str, settings: Settings)`, registered in the entry-point group `zbus.cameras`. One thread
    calls open, grab and close in turn; `configure` and `settings` come from that same thread.
    """

    Settings: ClassVar[type]
    camera_id: str

    def open(self) -> None:
        """Acquire the device, the first time or after `close`. Raises CameraNotFound where there is none."""
        ...

    def grab(self, timeout_s: float) -> Capture | None:
        """Wait for the next picture, at most about `timeout_s`; None where none came.

        Blocks. Raises CameraLost when the device is gone (the caller closes, waits and opens again) and
        EndOfStream when a finite source has given its last picture.
        """
        ...

    def configure(self, changes: Mapping[str, Setting]) -> None:
        """Apply settings by GenICam name (Width, Height, AcquisitionFrameRate, ExposureTime, Gain, ...).

        Raises CameraError naming the setting that is unknown, read-only or out of range; then none of
        `changes` has been applied.
        """
        ...

    def settings(self) -> dict[str, Setting]:
        """The settings in force, by GenICam name."""
        ...

    def close(self) -> None:
        """Give the device back. Safe to call twice and before `open`."""
        ...


class EndOfStream(Exception):
    """A finite source has given its last picture: an ending, not an error. The text says how it ended."""
