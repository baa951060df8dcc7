"""Whatever OpenCV can open as a camera: USB cameras, device files, network streams."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from zbus.cameras._buffers import BufferMaker, Buffers
from zbus.cameras._camera import Capture, EndOfStream, Setting
from zbus.cameras._capture_properties import CaptureProperties
from zbus.cameras._decoding import convert, open_video, pixel_format_of, silence
from zbus.cameras._pace import read_clocks
from zbus.cameras._settings import WrongValue, check_changes, not_open
from zbus.errors import CameraError, CameraLost, CameraNotFound

if TYPE_CHECKING:
    import cv2

MAX_FAILED_READS = 3
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class OpenCVSettings:
    """Which device, and what to ask it for; 0 and "" leave the driver's choice.

    `device` is a number, a path like /dev/v4l/by-id/..., an address (rtsp, http) or a video file. `fourcc` is
    the format on the wire, "MJPG" for instance. `width` and `height` go together. `pixel_format` "auto" is
    what OpenCV gives. `timeout_s` is how long a stream may be silent; other drivers have their own limits.
    """

    device: int | str = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    fourcc: str = ""
    pixel_format: Literal["auto", "mono8", "bgr8"] = "auto"
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("width", "height", "fps"):
            if getattr(self, name) < 0:
                raise WrongValue(name, f"must be at least 0, not {getattr(self, name)}")
        if bool(self.width) != bool(self.height):
            raise WrongValue("width", "and height are given together or not at all")
        if self.device == "" or (isinstance(self.device, int) and self.device < 0):
            raise WrongValue("device", "must be a number from 0, a path or an address")
        if self.fourcc and len(self.fourcc) != 4:
            raise WrongValue("fourcc", f"must have four letters, like MJPG, not {self.fourcc!r}")
        if self.timeout_s <= 0:
            raise WrongValue("timeout_s", f"must be more than 0, not {self.timeout_s}")


class OpenCVCamera:
    """A device or a stream through OpenCV.

    OpenCV numbers no frames: `frame_number` counts what was read and goes on over a reopening, so frames that
    the driver dropped show only in the times. `device_ns` is the driver's time of the frame, if it tells one.

    A read inside the driver cannot be interrupted: `grab` may take longer than its `timeout_s`, up to the
    driver's own limit (V4L2: 10 s; network streams: the setting `timeout_s`).
    """

    Settings: ClassVar[type] = OpenCVSettings

    def __init__(self, camera_id: str, settings: OpenCVSettings) -> None:
        self.camera_id = camera_id
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None
        self._buffers = Buffers()
        self._shape: tuple[int, ...] = ()
        self._next_number = 0
        self._failed_reads = 0
        self._pixel_format = settings.pixel_format

    def use_buffers(self, make: BufferMaker) -> None:
        """Put pictures into what `make` gives, from the second one on: the first tells their shape."""
        self._buffers.use(make)

    def open(self) -> None:
        """Open the device and set what the settings ask for.

        Raises CameraNotFound where nothing can be opened, CameraError where the driver refuses a setting.
        """
        self.close()
        self._failed_reads = 0
        self._capture = self._open_capture()
        if not self._capture.isOpened():
            self.close()
            raise self._not_found()
        try:
            self._ask_for(self._capture)
        except CameraError:
            self.close()
            raise

    def grab(self, timeout_s: float) -> Capture | None:
        """Read one frame; blocks as the driver does. Raises CameraLost after MAX_FAILED_READS failures."""
        if self._capture is None:
            raise not_open(self.camera_id)
        started_s = time.monotonic()
        readable = self._capture.grab()
        captured_ns, mono_ns = read_clocks()
        decoded, image = self._capture.retrieve(self._next_buffer()) if readable else (False, None)
        if not decoded or image is None:
            self._count_failure(time.monotonic() - started_s)
            return None
        self._failed_reads = 0
        self._next_number += 1
        pixel_format = self._choose_format(pixel_format_of(image))
        self._shape = image.shape
        return Capture(
            convert(image, pixel_format, self._buffers),
            pixel_format,
            self._next_number - 1,
            captured_ns,
            mono_ns,
            device_ns=_device_ns(self._capture),
        )

    def configure(self, changes: Mapping[str, Setting]) -> None:
        """Set by GenICam name and read back. Order matters: ExposureAuto "Off" before ExposureTime."""
        if self._capture is None:
            raise not_open(self.camera_id)
        properties = CaptureProperties(self.camera_id, self._capture)
        properties.write(check_changes(self.camera_id, properties.features, changes))

    def settings(self) -> dict[str, Setting]:
        """What the driver tells, by GenICam name. PixelFormat "auto" holds until the first frame."""
        if self._capture is None:
            raise not_open(self.camera_id)
        told = CaptureProperties(self.camera_id, self._capture).read_all()
        return told | {"PixelFormat": self._pixel_format}

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None

    def _open_capture(self) -> cv2.VideoCapture:
        import cv2

        device = _number_or_text(self._settings.device)
        if isinstance(device, int) or device.startswith("/dev/"):
            silence()
            return cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        timeout_ms = round(self._settings.timeout_s * 1000)
        limits = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms)
        return open_video(device, limits)

    def _ask_for(self, capture: cv2.VideoCapture) -> None:
        import cv2

        # Why: the format on the wire decides which sizes and rates there are, so it goes first.
        if self._settings.fourcc:
            code = cv2.VideoWriter.fourcc(*self._settings.fourcc)
            if not capture.set(cv2.CAP_PROP_FOURCC, code) or int(capture.get(cv2.CAP_PROP_FOURCC)) != code:
                raise CameraError(
                    f"camera {self.camera_id}: the driver did not take fourcc {self._settings.fourcc}",
                    next_step="see what it can do: v4l2-ctl --list-formats-ext",
                )
        asked: dict[str, Setting] = {
            "Width": self._settings.width,
            "Height": self._settings.height,
            "AcquisitionFrameRate": self._settings.fps,
        }
        CaptureProperties(self.camera_id, capture).write(
            {name: value for name, value in asked.items() if value}
        )

    def _next_buffer(self) -> NDArray[Any] | None:
        """Memory for the next picture, where it will be as the last one was and needs no conversion."""
        shape = self._shape
        is_final = len(shape) >= 2 and ("bgr8" if shape[2:] == (3,) else "mono8") == self._pixel_format
        return self._buffers.new(shape) if is_final else None

    def _choose_format(self, given: str) -> str:
        if self._settings.pixel_format == "auto":
            self._pixel_format = given
        return self._pixel_format

    def _count_failure(self, lasted_s: float) -> None:
        self._failed_reads += 1
        if Path(str(self._settings.device)).is_file():
            raise EndOfStream(f"{self._settings.device} ended")
        if self._failed_reads >= MAX_FAILED_READS or lasted_s >= self._settings.timeout_s:
            raise CameraLost(
                f"camera {self.camera_id}: {self._settings.device} stopped giving frames",
                next_step="check cable and power; close it and open it again",
            )

    def _not_found(self) -> CameraNotFound:
        device = _number_or_text(self._settings.device)
        path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)
        if "://" in str(device):
            return CameraNotFound(f"no stream answers at {device}", next_step=f"ffprobe {device}")
        if not path.exists():
            return CameraNotFound(
                f"there is no camera {device}", next_step="zbus doctor lists the devices of this host"
            )
        if path.is_file():
            return CameraNotFound(
                f"{path} is not a video that OpenCV can decode", next_step=f"ffprobe {path}"
            )
        return CameraNotFound(
            f"{path} is there but cannot be opened as a camera",
            next_step=f"v4l2-ctl -d {path} --all; fuser {path} shows who holds it; "
            "the user must be in the group video",
        )


def _number_or_text(device: int | str) -> int | str:
    return int(device) if isinstance(device, str) and device.isdecimal() else device


def _device_ns(capture: cv2.VideoCapture) -> int | None:
    import cv2

    position_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
    return round(position_ms * NS_PER_MS) if position_ms > 0 else None
