"""Cameras and trackers of a test, which do what they are told."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zbus.cameras import Capture
from zbus.wire import Tracks


@dataclass(frozen=True)
class NoSettings:
    """None."""


class PlayedCamera:
    """Gives what `script` holds: captures, or errors to raise; then waits."""

    Settings = NoSettings
    script: list[Any]

    def __init__(self, camera_id: str, settings: NoSettings) -> None:
        self.camera_id = camera_id

    def open(self) -> None: ...

    def grab(self, timeout_s: float) -> Capture | None:
        if not self.script:
            time.sleep(0.01)
            return None
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def configure(self, changes: Mapping[str, Any]) -> None: ...

    def settings(self) -> dict[str, Any]:
        return {"Gain": 1.0}

    def close(self) -> None: ...


def capture(
    number: int, image: Any = None, pixel_format: str = "mono8", events: Iterable[Any] = ()
) -> Capture:
    image = np.zeros((4, 6), np.uint8) if image is None else image
    return Capture(image, pixel_format, number, number, number, events=tuple(events))


class PlayedTracker:
    """Notes the shapes of pictures; raises where a picture is all white."""

    Settings = NoSettings

    def __init__(self, settings: NoSettings | None = None) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.resets = 0

    def update(self, image: Any, t_ns: int | None = None) -> Tracks:
        if image.min() == 255:
            raise ZeroDivisionError("blinded")
        self.shapes.append(image.shape)
        return Tracks(
            np.array([1]),
            np.zeros((1, 2)),
            np.zeros((1, 4)),
            np.ones(1),
            np.zeros(1, np.int64),
            ("confirmed",),
        )

    def reset(self) -> None:
        self.resets += 1
