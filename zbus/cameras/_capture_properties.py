"""GenICam names over OpenCV's capture properties: one table, and setting with proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zbus.cameras._camera import Setting
from zbus.cameras._settings import Feature
from zbus.errors import CameraError

if TYPE_CHECKING:
    import cv2

TOLERANCE = 0.02
# V4L2 counts exposure in steps of 100 us and calls its automatic mode 3 (aperture priority), manual 1.
V4L2_EXPOSURE_STEP_US = 100.0
V4L2_AUTO = {"Continuous": 3.0, "Off": 1.0}
# DirectShow and Media Foundation tell exposure as a power of two of a second, the automatic mode as 1 or 0.
WINDOWS_AUTO = {"Continuous": 1.0, "Off": 0.0}
US_PER_S = 1e6


@dataclass(frozen=True, slots=True)
class Property:
    """How a setting is told to OpenCV: the name of its CAP_PROP, and what its values may be."""

    cap_prop: str
    feature: Feature


PROPERTIES = {
    "Width": Property("CAP_PROP_FRAME_WIDTH", Feature(int, 1, 65536, writable=False)),
    "Height": Property("CAP_PROP_FRAME_HEIGHT", Feature(int, 1, 65536, writable=False)),
    "AcquisitionFrameRate": Property("CAP_PROP_FPS", Feature(float, 0.01, 10_000)),
    "ExposureAuto": Property("CAP_PROP_AUTO_EXPOSURE", Feature(str, choices=("Off", "Continuous"))),
    "ExposureTime": Property("CAP_PROP_EXPOSURE", Feature(float, 1, 60 * US_PER_S)),
    "Gain": Property("CAP_PROP_GAIN", Feature(float)),
    "Brightness": Property("CAP_PROP_BRIGHTNESS", Feature(float)),
    "Contrast": Property("CAP_PROP_CONTRAST", Feature(float)),
    "Saturation": Property("CAP_PROP_SATURATION", Feature(float)),
    "Gamma": Property("CAP_PROP_GAMMA", Feature(float)),
    "Sharpness": Property("CAP_PROP_SHARPNESS", Feature(float)),
    "BalanceWhiteAuto": Property("CAP_PROP_AUTO_WB", Feature(str, choices=("Off", "Continuous"))),
    "FocusAuto": Property("CAP_PROP_AUTOFOCUS", Feature(str, choices=("Off", "Continuous"))),
}
FOR_STREAMS = ("Width", "Height", "AcquisitionFrameRate")


class CaptureProperties:
    """Reads and writes the settings of an open capture by GenICam name, in GenICam's units."""

    def __init__(self, camera_id: str, capture: cv2.VideoCapture) -> None:
        import cv2

        self._camera_id, self._capture = camera_id, capture
        self._ids = {name: int(getattr(cv2, entry.cap_prop)) for name, entry in PROPERTIES.items()}
        backend = capture.getBackendName()
        self._convert = _V4L2 if backend == "V4L2" else _OTHER
        self.features = _features(is_stream=backend == "FFMPEG")

    def read_all(self) -> dict[str, Setting]:
        """Every setting that the driver tells."""
        found = {name: self.read(name) for name in self.features if name in PROPERTIES}
        return {name: value for name, value in found.items() if value is not None}

    def read(self, name: str) -> Setting | None:
        """One setting as the driver tells it; None where it has no such thing."""
        # Why: OpenCV answers -1 or 0 for what a backend does not know, so a true 0 cannot be told apart.
        told = self._capture.get(self._ids[name])
        if told == -1 or not math.isfinite(told):
            return None
        return self._convert.from_driver(name, told)

    def write(self, changes: Mapping[str, Setting]) -> None:
        """Apply `changes` in order, then read each back.

        Raises CameraError naming a setting that the driver did not take, after putting all of them back.
        """
        wanted = {name: self._convert.to_driver(name, value) for name, value in changes.items()}
        before = {name: self._capture.get(self._ids[name]) for name in wanted}
        self._set_all(wanted)
        # Why only now: V4L2 takes a width once it knows the height as well.
        refused = next((name for name, value in wanted.items() if not self._holds(name, value)), None)
        if refused is not None:
            kept = self.read(refused)
            self._set_all(before)
            raise CameraError(
                f"camera {self._camera_id}: the driver did not take {refused} = {changes[refused]!r}, "
                f"it has {kept!r}",
                next_step="see what it can do: v4l2-ctl --list-ctrls --list-formats-ext",
            )

    def _set_all(self, wanted: Mapping[str, float]) -> None:
        for name, value in wanted.items():
            self._capture.set(self._ids[name], value)

    def _holds(self, name: str, wanted: float) -> bool:
        return math.isclose(self._capture.get(self._ids[name]), wanted, rel_tol=TOLERANCE, abs_tol=1e-6)


def _features(is_stream: bool) -> dict[str, Feature]:
    """A stream or a file has a size and a rate that nobody can change; a device has the whole table."""
    pixel_format = {"PixelFormat": Feature(str, writable=False)}
    if is_stream:
        fixed = {name: replace(PROPERTIES[name].feature, writable=False) for name in FOR_STREAMS}
        return fixed | pixel_format
    return {name: entry.feature for name, entry in PROPERTIES.items()} | pixel_format


@dataclass(frozen=True, slots=True)
class _Units:
    """What a backend's numbers mean."""

    exposure_to_driver: Callable[[float], float]
    exposure_from_driver: Callable[[float], float]
    auto_exposure: Mapping[str, float]

    def to_driver(self, name: str, value: Setting) -> float:
        if isinstance(value, str):
            return self._modes(name)[value]
        return self.exposure_to_driver(float(value)) if name == "ExposureTime" else float(value)

    def from_driver(self, name: str, told: float) -> Setting:
        feature = PROPERTIES[name].feature
        if feature.kind is str:
            return "Off" if told == self._modes(name)["Off"] else "Continuous"
        if name == "ExposureTime":
            return self.exposure_from_driver(told)
        return feature.kind(told)

    def _modes(self, name: str) -> Mapping[str, float]:
        return self.auto_exposure if name == "ExposureAuto" else {"Off": 0.0, "Continuous": 1.0}


_V4L2 = _Units(
    exposure_to_driver=lambda us: us / V4L2_EXPOSURE_STEP_US,
    exposure_from_driver=lambda steps: steps * V4L2_EXPOSURE_STEP_US,
    auto_exposure=V4L2_AUTO,
)
_OTHER = _Units(
    exposure_to_driver=lambda us: math.log2(us / US_PER_S),
    exposure_from_driver=lambda power: 2.0**power * US_PER_S,
    auto_exposure=WINDOWS_AUTO,
)
