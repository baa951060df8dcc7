"""A simulated arena: the animals, how they look, and where they truly are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zbus.cameras._buffers import Buffers
from zbus.cameras._decoding import convert
from zbus.cameras._scene import HEAD_TAPER, Look, Scene
from zbus.cameras._sim_settings import SimSettings
from zbus.cameras._walk import Gait, Walk, Walls

WALL_GAP_PX = 3.0


class Arena:
    """One arena, frame after frame, without a clock: the same settings and frames give the same pictures."""

    def __init__(self, settings: SimSettings) -> None:
        self._settings = settings
        self._scene = Scene(_make_look(settings))
        self._walk = _make_walk(settings)
        self._frame_number = 0
        self._elapsed_s = 0.0

    def advance_to(self, frame_number: int, rate_hz: float) -> None:
        """Let the animals walk on to `frame_number`, at `rate_hz` frames a second. There is no way back."""
        for _ in range(frame_number - self._frame_number):
            self._walk.advance(1.0 / rate_hz)
            self._elapsed_s += 1.0 / rate_hz
        self._frame_number = max(frame_number, self._frame_number)

    def set_sensitivity(self, brightness: float, noise_gain: float) -> None:
        """Scale the picture by `brightness` and the sensor's noise by `noise_gain`."""
        self._scene.set_sensitivity(brightness, noise_gain)

    def draw(self, buffers: Buffers | None = None) -> NDArray[np.uint8]:
        """A new picture of this moment, uint8 (height, width) or (height, width, 3), in one of `buffers`."""
        walk, buffers = self._walk, buffers or Buffers()
        shape = (self._settings.height, self._settings.width)
        gray = buffers.new(shape) if self._settings.pixel_format == "mono8" else np.empty(shape, np.uint8)
        scene = self._scene
        scene.draw(walk.centroids_px, walk.headings_rad, self._frame_number, self._elapsed_s, gray)
        return convert(gray, self._settings.pixel_format, buffers)

    def truth(self) -> dict[str, Any]:
        """Where the animals are at this moment, in plain lists and numbers."""
        centroids_px, headings_rad = self._walk.centroids_px, self._walk.headings_rad
        return {
            "track_ids": list(range(1, len(headings_rad) + 1)),
            "centroids_px": centroids_px.tolist(),
            "headings_rad": headings_rad.tolist(),
            "contact": self._scene.touching(centroids_px, headings_rad).tolist(),
        }


def _make_look(settings: SimSettings) -> Look:
    return Look(
        width=settings.width,
        height=settings.height,
        body_length_px=settings.body_length_px,
        body_width_px=settings.body_width_px,
        noise=settings.noise,
        light=settings.light,
        light_drift_s=settings.light_drift_s,
        polarity=settings.polarity,
        seed=settings.seed,
    )


def _make_walk(settings: SimSettings) -> Walk:
    # Why: the body reaches further behind its centroid than before it, and stays inside the picture whole.
    wall_px = settings.body_length_px * (0.5 + HEAD_TAPER / 8) + WALL_GAP_PX
    walls = Walls(wall_px, wall_px, settings.width - 1 - wall_px, settings.height - 1 - wall_px)
    gait = Gait(settings.speed_px_s, settings.body_length_px, settings.crossings_per_min)
    return Walk(settings.animals, walls, gait, settings.seed)
