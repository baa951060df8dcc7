"""A camera without hardware: simulated animals with exact ground truth, and faults on demand."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from zbus.cameras._arena import Arena
from zbus.cameras._buffers import BufferMaker, Buffers
from zbus.cameras._camera import Capture, EndOfStream, Setting
from zbus.cameras._pace import NS_PER_S, Pace, read_clocks
from zbus.cameras._settings import Feature, check_changes, not_open
from zbus.cameras._sim_settings import LIMITS, SimSettings
from zbus.errors import CameraLost, CameraNotFound

NOMINAL_EXPOSURE_US = 10_000.0
FEATURES = {
    "Width": Feature(int, writable=False),
    "Height": Feature(int, writable=False),
    "PixelFormat": Feature(str, writable=False),
    "AcquisitionFrameRate": Feature(float, *LIMITS["fps"]),
    "Gain": Feature(float, 0.0, 24.0),
    "ExposureTime": Feature(float, 100.0, 100_000.0),
}


class SimCamera:
    """Simulated animals whose positions are known exactly.

    The same settings and frame number give the same picture and truth, whatever the wall clock does (as long
    as AcquisitionFrameRate is not changed on the way). A caller that comes more than one period late
    finds a later frame, as with a real camera, and the counter shows the gap. The arena comes to life with
    the first `grab` and lives on while the camera is closed: `frame_number` counts on over a reopening.

    Every capture carries one event `truth` in plain lists and numbers: `track_ids` from 1, `centroids_px`
    (origin at the center of the top left pixel), `headings_rad` (0 to the right, growing toward the bottom)
    and `contact` (whether the body touches another).
    """

    Settings: ClassVar[type] = SimSettings

    def __init__(self, camera_id: str, settings: SimSettings) -> None:
        self.camera_id = camera_id
        self._settings = settings
        self._arena: Arena | None = None
        self._buffers = Buffers()
        self._is_open = False
        self._pace = Pace(settings.fps)
        self._next_number = 0
        self._loss = _Loss(settings.lose_after_frames, settings.lost_for_s)
        self._gain_db = 0.0
        self._exposure_us = NOMINAL_EXPOSURE_US

    def use_buffers(self, make: BufferMaker) -> None:
        """Draw into what `make` gives."""
        self._buffers.use(make)

    def open(self) -> None:
        """Build the arena at the first call. Raises CameraNotFound while a simulated loss lasts."""
        if self._loss.lasts():
            raise CameraNotFound(
                f"simulated camera {self.camera_id} is unplugged by its setting lose_after_frames",
                next_step="wait: it comes back after lost_for_s",
            )
        if self._arena is None:
            self._arena = Arena(self._settings)
            self._apply_sensitivity(self._arena)
        self._is_open = True

    def grab(self, timeout_s: float) -> Capture | None:
        """Wait for the next frame's moment and draw it. Raises CameraLost as the settings ask for it."""
        if not self._is_open or self._arena is None:
            raise not_open(self.camera_id)
        if self._loss.strikes():
            self._is_open = False
            raise CameraLost(
                f"simulated camera {self.camera_id} was unplugged after {self._loss.after_frames} frames",
                next_step="close it and open it again: it comes back after lost_for_s",
            )
        number = self._choose_number()
        if self._settings.frames and number >= self._settings.frames:
            raise EndOfStream(f"simulated camera {self.camera_id} gave its {self._settings.frames} frames")
        if self._settings.pace == "real_time" and not self._pace.wait(number, timeout_s):
            return None
        return self._render(self._arena, number)

    def configure(self, changes: Mapping[str, Setting]) -> None:
        """Change AcquisitionFrameRate (Hz), Gain (dB, brightens picture and noise) or ExposureTime (us)."""
        if not self._is_open or self._arena is None:
            raise not_open(self.camera_id)
        taken = check_changes(self.camera_id, FEATURES, changes)
        if "AcquisitionFrameRate" in taken:
            self._pace.set_rate(float(taken["AcquisitionFrameRate"]), max(self._next_number - 1, 0))
        self._gain_db = float(taken.get("Gain", self._gain_db))
        self._exposure_us = float(taken.get("ExposureTime", self._exposure_us))
        self._apply_sensitivity(self._arena)

    def settings(self) -> dict[str, Setting]:
        """The settings in force, by GenICam name."""
        if not self._is_open:
            raise not_open(self.camera_id)
        return {
            "Width": self._settings.width,
            "Height": self._settings.height,
            "PixelFormat": self._settings.pixel_format,
            "AcquisitionFrameRate": self._pace.rate_hz,
            "Gain": self._gain_db,
            "ExposureTime": self._exposure_us,
        }

    def close(self) -> None:
        """Stop giving frames; the arena stays, for a reopening."""
        self._is_open = False

    def _choose_number(self) -> int:
        number = self._next_number
        if number == 0:
            self._pace.start()
        elif self._settings.pace == "real_time":
            number = max(number, self._pace.newest())
        every = self._settings.drop_every
        return number + 1 if every and (number + 1) % every == 0 else number

    def _render(self, arena: Arena, number: int) -> Capture:
        captured_ns, mono_ns = read_clocks()
        self._next_number = number + 1
        self._loss.given += 1
        arena.advance_to(number, self._pace.rate_hz)
        truth = {
            "event": "truth",
            "camera": self.camera_id,
            "frame_number": number,
            "captured_ns": captured_ns,
            **arena.truth(),
        }
        pixel_format = self._settings.pixel_format
        return Capture(arena.draw(self._buffers), pixel_format, number, captured_ns, mono_ns, events=(truth,))

    def _apply_sensitivity(self, arena: Arena) -> None:
        amplification = 10 ** (self._gain_db / 20)
        arena.set_sensitivity(amplification * self._exposure_us / NOMINAL_EXPOSURE_US, amplification)


class _Loss:
    """A device that vanishes once, after `after_frames` pictures (0: never), and is back `for_s` later."""

    def __init__(self, after_frames: int, for_s: float) -> None:
        self.after_frames = after_frames
        self.given = 0
        self._for_s = for_s
        self._until_ns: int | None = None

    def strikes(self) -> bool:
        """Whether the device vanishes now."""
        if not self.after_frames or self.given < self.after_frames or self._until_ns is not None:
            return False
        self._until_ns = time.monotonic_ns() + round(self._for_s * NS_PER_S)
        return True

    def lasts(self) -> bool:
        """Whether the device is away."""
        return self._until_ns is not None and time.monotonic_ns() < self._until_ns
