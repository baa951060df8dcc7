"""A known number of animals, each with its identity for the whole recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zbus.errors import TrackingError
from zbus.tracking._herd import Herd
from zbus.tracking._pace import Pace
from zbus.tracking._start import find_start
from zbus.tracking._tracking import Detections
from zbus.wire import Tracks


@dataclass(frozen=True, slots=True)
class FixedCountSettings:
    """How many animals, and what only a person can know better than the pictures.

    `animals` is their number. `max_step_px` is the furthest that an animal can be off its predicted place
    from one frame to the next; 0 learns it from body size and motion. `start_frames` is how long to wait
    for a picture in which all are apart before touching ones are divided by area.
    """

    animals: int = 1
    max_step_px: float = 0.0
    start_frames: int = 10

    def __post_init__(self) -> None:
        if self.animals < 1:
            raise ValueError("animals must be 1 or more")
        if not 0 <= self.max_step_px < float("inf"):
            raise ValueError("max_step_px must be 0 or more")
        if self.start_frames < 0:
            raise ValueError("start_frames must be 0 or more")


class FixedCountTracker:
    """Keeps the identities 1..n of n animals: an Associator.

    No row comes before the animals have been found once; from then on there are always n rows, in the
    order of their ids. An animal alone in its blob is `confirmed`; one in contact too, with a lower score
    and a place split off the common blob; one that is not seen is `lost`: its place coasts on, and it
    takes the next blob in reach that nobody else needs.
    """

    def __init__(self, settings: FixedCountSettings | None = None) -> None:
        self._settings = settings or FixedCountSettings()
        self.reset()

    def reset(self) -> None:
        """Forget every identity and every size, and wait for the animals again."""
        self._pace = Pace()
        self._waited = 0
        self._herd: Herd | None = None

    def update(self, detections: Detections, t_ns: int | None = None) -> Tracks:
        """Take the next picture's detections; their mask, where they have one, is only read.

        `t_ns` is the picture's time on any steady clock; None means one nominal frame after the last.
        Raises TrackingError naming the row where a detection is not finite.
        """
        _check_finite(detections)
        step_frames = self._pace.step(t_ns)
        if self._herd is not None:
            return self._herd.step(detections, step_frames)
        patient = self._waited < self._settings.start_frames
        self._waited += 1
        start = find_start(detections, self._settings.animals, patient=patient)
        if start is None:
            return _no_tracks()
        self._herd = Herd(start, self._settings.max_step_px)
        return self._herd.step(detections, 0.0)


def _check_finite(detections: Detections) -> None:
    for name in ("centroids_px", "boxes_xyxy_px", "areas_px", "scores"):
        values = getattr(detections, name)
        if np.isfinite(values).all():
            continue
        row = int(np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))[0])
        raise TrackingError(
            f"detection row {row}: {name} is {values[row]}, not finite",
            next_step="let the detector leave out rows that it cannot measure",
        )


def _no_tracks() -> Tracks:
    none = np.empty(0)
    return Tracks(np.empty(0, np.int64), none.reshape(0, 2), none.reshape(0, 4), none, np.empty(0, np.int64))
