"""Tracks as columns: what trackers give and what travels on `tracks/`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

TENTATIVE, CONFIRMED, LOST = "tentative", "confirmed", "lost"
TRACK_STATES = (TENTATIVE, CONFIRMED, LOST)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The identities of one picture, a row a track, in pixels of that picture.

    `track_ids` int64 (n,); `centroids_px` float64 (n, 2) as x, y; `boxes_xyxy_px` float64 (n, 4) as left,
    top, right, bottom; `scores` float64 (n,) in 0..1, how sure the tracker is of the row; `class_ids`
    int64 (n,); `states` one of tentative, confirmed, lost for each row (lost: the place is a prediction).
    Every number is finite.
    """

    track_ids: NDArray[np.int64]
    centroids_px: NDArray[np.float64]
    boxes_xyxy_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    states: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.track_ids)
