"""What detectors and trackers are: arrays in, arrays out. No topic, no socket, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zbus.wire import Tracks


@dataclass(frozen=True, slots=True)
class Detections:
    """What one picture shows, a row an object, in pixels with the origin at the center of the top left pixel.

    `centroids_px` is float64 (n, 2) as x, y; `boxes_xyxy_px` float64 (n, 4) as left, top, right, bottom;
    `areas_px` float64 (n,); `scores` float64 (n,) in 0..1; `class_ids` int64 (n,). `mask` is the uint8
    (height, width) foreground the rows were found in, not zero where an animal is, or None where the
    detector has no such thing; trackers use it to split animals that touch. `mono` is the uint8 (height,
    width) gray picture itself, only read, or None; trackers use it to tell animals apart by their looks.
    """

    centroids_px: NDArray[np.float64]
    boxes_xyxy_px: NDArray[np.float64]
    areas_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    mask: NDArray[np.uint8] | None = None
    mono: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.centroids_px)


@runtime_checkable
class Detector(Protocol):
    """Finds objects in one picture.

    A plug-in is a class with a frozen dataclass `Settings` and a constructor `(settings: Settings)`,
    registered in the entry-point group `zbus.detectors`.
    """

    Settings: ClassVar[type]

    def detect(self, image: NDArray[Any]) -> Detections:
        """Find what is in `image`, uint8 (height, width) or (height, width, 3) in BGR, which is only read.

        Raises TrackingError where the picture has another shape or type.
        """
        ...

    def reset(self) -> None:
        """Forget everything learned from earlier pictures."""
        ...


@runtime_checkable
class Associator(Protocol):
    """Turns the detections of successive pictures into identities over time."""

    def update(self, detections: Detections, t_ns: int | None = None) -> Tracks:
        """Take the next picture's detections. `t_ns` is its time; None means one nominal frame later."""
        ...

    def reset(self) -> None:
        """Forget every identity and start again."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Picture in, tracks out: what a tracker node runs.

    A plug-in is a class with a frozen dataclass `Settings` and a constructor `(settings: Settings)`,
    registered in the entry-point group `zbus.trackers`.
    """

    Settings: ClassVar[type]

    def update(self, image: NDArray[Any], t_ns: int | None = None) -> Tracks:
        """Track the next picture, uint8 (height, width) or (height, width, 3) in BGR, which is only read."""
        ...

    def reset(self) -> None:
        """Forget every identity and start again."""
        ...
