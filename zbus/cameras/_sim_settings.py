"""What a simulated camera can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zbus.cameras._settings import WrongValue

LIMITS = {
    "animals": (0, 500),
    "width": (32, 8192),
    "height": (32, 8192),
    "fps": (0.1, 2000.0),
    "frames": (0, 2**62),
    "seed": (0, 2**62),
    "noise": (0.0, 60.0),
    "light_drift_s": (0.0, 1e6),
    "body_length_px": (4.0, 1000.0),
    "body_width_px": (2.0, 1000.0),
    "speed_px_s": (0.0, 1e5),
    "crossings_per_min": (0.0, 1e4),
    "drop_every": (0, 2**62),
    "lose_after_frames": (0, 2**62),
    "lost_for_s": (0.0, 1e6),
}


@dataclass(frozen=True, slots=True)
class SimSettings:
    """A simulated arena. Zero switches off `frames` (endless), `light_drift_s` and the faults.

    `polarity` is "dark" animals on a light ground or "bright" ones on a dark ground. `noise` is a standard
    deviation in gray levels. `light_drift_s` is the period of a slow change of light by 15 %. `pace` "fast"
    gives every frame at once, for work offline.

    Faults: every `drop_every`-th frame is missing, which shows as a gap of the counter; after
    `lose_after_frames` pictures the device is gone, once, and comes back `lost_for_s` later.
    """

    animals: int = 5
    width: int = 640
    height: int = 480
    fps: float = 30.0
    frames: int = 0
    pace: Literal["real_time", "fast"] = "real_time"
    pixel_format: Literal["mono8", "bgr8"] = "mono8"
    seed: int = 1
    noise: float = 3.0
    light: Literal["even", "uneven"] = "uneven"
    light_drift_s: float = 0.0
    polarity: Literal["dark", "bright"] = "dark"
    body_length_px: float = 30.0
    body_width_px: float = 12.0
    speed_px_s: float = 70.0
    crossings_per_min: float = 12.0
    drop_every: int = 0
    lose_after_frames: int = 0
    lost_for_s: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise WrongValue(name, f"must be from {low:g} to {high:g}, not {getattr(self, name):g}")
        if self.body_width_px > self.body_length_px:
            raise WrongValue("body_width_px", "must be at most body_length_px")
        if 2 * self.body_length_px > min(self.width, self.height):
            raise WrongValue("body_length_px", "must be at most half of the picture's shorter side")
        if self.drop_every == 1:
            raise WrongValue("drop_every", "must be 0 or at least 2: with 1 no frame would be left")
