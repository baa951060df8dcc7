"""The tracks that are carried: ten animals, as arrays."""

from __future__ import annotations

import numpy as np

from zbus.wire import Tracks

ANIMALS = 10


def make_tracks() -> Tracks:
    """Ten animals somewhere in a picture of 640 x 480."""
    places = np.random.default_rng(1).uniform((0, 0), (640, 480), (ANIMALS, 2))
    return Tracks(
        track_ids=np.arange(1, ANIMALS + 1),
        centroids_px=places,
        boxes_xyxy_px=np.hstack([places - 6, places + 6]),
        scores=np.full(ANIMALS, 0.9),
        class_ids=np.zeros(ANIMALS, np.int64),
        states=("confirmed",) * ANIMALS,
    )
