"""A recorded video, or a folder of pictures, as a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from zbus.cameras._buffers import BufferMaker, Buffers
from zbus.cameras._camera import Capture, EndOfStream, Setting
from zbus.cameras._decoding import convert, pixel_format_of
from zbus.cameras._footage import MAX_FPS
from zbus.cameras._pace import Pace, read_clocks
from zbus.cameras._reel import Reel
from zbus.cameras._settings import Feature, WrongValue, check_changes, not_open

DEFAULT_FPS = 30.0
MAX_CATCH_UP_S = 1.0
MIN_FPS = 0.01
FEATURES = {
    "Width": Feature(int, writable=False),
    "Height": Feature(int, writable=False),
    "PixelFormat": Feature(str, writable=False),
    "AcquisitionFrameRate": Feature(float, MIN_FPS, MAX_FPS),
    "FramesExpected": Feature(int, writable=False),
    "FramesDecoded": Feature(int, writable=False),
}


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What to play, and how.

    `path` is a video or a folder of pictures. `pace` "real_time" plays at the file's rate, or at `fps` where
    that is not 0 (30 where the file tells none); "fast" gives frames as they are asked for. `pixel_format`
    "auto" is mono8 where the source has a single channel, else bgr8. `start_frame` pictures are passed over,
    in each round where `loop` is on.
    """

    path: str
    pace: Literal["real_time", "fast"] = "real_time"
    loop: bool = False
    fps: float = 0.0
    pixel_format: Literal["auto", "mono8", "bgr8"] = "auto"
    start_frame: int = 0

    def __post_init__(self) -> None:
        if not self.path:
            raise WrongValue("path", "must name a video or a folder of pictures")
        if self.fps and not MIN_FPS <= self.fps <= MAX_FPS:
            raise WrongValue("fps", f"must be 0 or from {MIN_FPS:g} to {MAX_FPS:g}, not {self.fps:g}")
        if self.start_frame < 0:
            raise WrongValue("start_frame", f"must be at least 0, not {self.start_frame}")


class FileCamera:
    """Plays a file once, or around and around.

    `frame_number` is the picture's place in the file, from 0, and counts on in the next round; `open` starts
    from the beginning. No frame is skipped: after a caller that came late the camera catches up, and
    where that would take more than MAX_CATCH_UP_S it goes on from there at its own pace. A gap stands for
    pictures of a folder that cannot be read.

    A file that ends before what its container announces is told: by the text of EndOfStream, by a warning in
    the log, and by the settings FramesExpected and FramesDecoded.
    """

    Settings: ClassVar[type] = FileSettings

    def __init__(self, camera_id: str, settings: FileSettings) -> None:
        self.camera_id = camera_id
        self._settings = settings
        self._reel: Reel | None = None
        self._buffers = Buffers()
        self._pace = Pace(DEFAULT_FPS)
        self._pixel_format = ""
        self._tick = 0

    def use_buffers(self, make: BufferMaker) -> None:
        """Decode into what `make` gives."""
        self._buffers.use(make)

    def open(self) -> None:
        """Open the file and decode its first picture. Raises CameraNotFound saying what is wrong with it."""
        self.close()
        path = Path(self._settings.path).expanduser()
        self._reel = Reel(path, self._settings.start_frame, self._settings.loop)
        asked = self._settings.pixel_format
        self._pixel_format = pixel_format_of(self._reel.first_image) if asked == "auto" else asked
        self._pace = Pace(self._settings.fps or self._reel.fps or DEFAULT_FPS)
        self._tick = 0

    def grab(self, timeout_s: float) -> Capture | None:
        """The next picture when it is due. Raises EndOfStream after the last one."""
        if self._reel is None:
            raise not_open(self.camera_id)
        if not self._is_due(timeout_s):
            return None
        captured_ns, mono_ns = read_clocks()
        first = self._reel.first_image
        # Why only then: what is converted lies in a buffer afterwards, and not before.
        is_final = pixel_format_of(first) == self._pixel_format
        found = self._reel.next(self._buffers.new(first.shape) if is_final else None)
        if found is None:
            raise EndOfStream(self._reel.how_it_ended())
        self._tick += 1
        image = convert(found[1], self._pixel_format, self._buffers)
        return Capture(image, self._pixel_format, found[0], captured_ns, mono_ns)

    def configure(self, changes: Mapping[str, Setting]) -> None:
        """Change AcquisitionFrameRate, the rate of playing."""
        if self._reel is None:
            raise not_open(self.camera_id)
        taken = check_changes(self.camera_id, FEATURES, changes)
        if "AcquisitionFrameRate" in taken:
            self._pace.set_rate(float(taken["AcquisitionFrameRate"]), max(self._tick - 1, 0))

    def settings(self) -> dict[str, Setting]:
        """The settings in force. FramesExpected is what the container announces, 0 where it does not."""
        if self._reel is None:
            raise not_open(self.camera_id)
        height, width = self._reel.first_image.shape[:2]
        return {
            "Width": width,
            "Height": height,
            "PixelFormat": self._pixel_format,
            "AcquisitionFrameRate": self._pace.rate_hz,
            "FramesExpected": self._reel.expected,
            "FramesDecoded": self._reel.decoded,
        }

    def close(self) -> None:
        """Close the file."""
        if self._reel is not None:
            self._reel.close()
        self._reel = None

    def _is_due(self, timeout_s: float) -> bool:
        if self._settings.pace == "fast":
            return True
        if self._tick == 0 or self._pace.late_s(self._tick) > MAX_CATCH_UP_S:
            self._pace.start(self._tick)
        return self._pace.wait(self._tick, timeout_s)
