"""A known number of animals, each with its identity for the whole recording."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from zbus.errors import TrackingError
from zbus.tracking._bodies import Bodies
from zbus.tracking._kalman import ConstantVelocity
from zbus.tracking._matching import NOBODY, Rows, Scene, match
from zbus.tracking._pace import Pace
from zbus.tracking._splitting import Split, blob_pixels, split_blob
from zbus.tracking._start import Start, find_start
from zbus.tracking._tracking import Detections
from zbus.wire import Tracks

Floats = NDArray[np.float64]

# Lengths are in body lengths, times in nominal frames.
GATE_LENGTHS = 1.5  # nobody is expected to be further than this off its prediction
GATE_SIGMAS = 4.0
LARGEST_GATE_LENGTHS = 12.0
ALONE_NOISE = 0.02
CONTACT_NOISE = 0.08
OVERLAP_NOISE = 0.6  # added, times the overlap
PARTIAL_NOISE = 0.5  # added where a blob is smaller than its animal, times what is missing
FIRST_ACCELERATION = 0.1
ACCELERATION_RANGE = (0.01, 0.5)
ACCELERATION_LEARN_RATE = 0.02
FIRST_SPEED = 0.5
COAST_KEEP = 0.93
CONFIRM_FRAMES = 3
SCORE_CONTACT = 0.6
SCORE_COAST, SCORE_COAST_KEEP, SCORE_LEAST = 0.4, 0.95, 0.05


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
        self._herd: _Herd | None = None

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
        self._herd = _Herd(start, self._settings.max_step_px)
        return self._herd.step(detections, 0.0)


class _Herd:
    """The n animals once they are found."""

    def __init__(self, start: Start, max_step_px: float) -> None:
        self._n = len(start.areas_px)
        self._max_step_px = max_step_px
        self._bodies = Bodies(start.areas_px)
        length = self._bodies.length_px
        self._motion = ConstantVelocity(start.centroids_px, (length / 4) ** 2, (FIRST_SPEED * length) ** 2)
        self._acceleration = FIRST_ACCELERATION
        self._unseen = np.zeros(self._n)
        self._alone_frames = np.zeros(self._n, np.int64)
        self._confirmed = np.zeros(self._n, bool)
        self._extents = np.tile(length / 4 * np.array([-1, -1, 1, 1.0]), (self._n, 1))

    def step(self, found: Detections, step_frames: float) -> Tracks:
        """Move on by `step_frames` nominal frames to the picture that shows `found`."""
        length = self._bodies.length_px
        keep = np.where(self._unseen > 0, COAST_KEEP, 1.0)
        self._motion.predict(step_frames, (self._acceleration * length) ** 2, keep)
        self._confine(found)
        scene = Scene(found, self._bodies.typical_area_px)
        places, areas = self._motion.positions_px, self._bodies.areas_px
        owners = match(scene, places, self._gates(step_frames), areas, self._unseen == 0, length)
        crowd = np.bincount(owners[owners != NOBODY], minlength=len(found))
        alone = (owners != NOBODY) & (crowd[owners] == 1 if len(found) else False)
        self._see_alone(found, np.flatnonzero(alone), owners)
        for blob in np.flatnonzero(crowd > 1):
            self._see_contact(found, int(blob), np.flatnonzero(owners == blob))
        self._confine(found)
        self._count(owners, alone, step_frames)
        return self._tracks(owners, alone)

    def _gates(self, step_frames: float) -> Floats:
        """How far from its prediction each animal may be found, px."""
        length = self._bodies.length_px
        if self._max_step_px:
            return self._max_step_px * np.maximum(self._unseen + step_frames, 1.0)
        spread = GATE_SIGMAS * np.sqrt(self._motion.position_vars)
        return np.clip(spread, GATE_LENGTHS * length, LARGEST_GATE_LENGTHS * length)

    def _see_alone(self, found: Detections, rows: Rows, owners: Rows) -> None:
        blobs, length = owners[rows], self._bodies.length_px
        points, areas = found.centroids_px[blobs], found.areas_px[blobs]
        missing = np.clip(1 - areas / self._bodies.areas_px[rows], 0, 1)
        missing[missing < 1 / 4] = 0
        noise = (ALONE_NOISE + PARTIAL_NOISE * missing) * length
        self._learn_motion(rows, points, noise, missing == 0)
        back = rows[self._unseen[rows] > 0]
        self._motion.update(rows, points, noise**2)
        self._motion.restart(back, found.centroids_px[owners[back]], (ALONE_NOISE * length) ** 2)
        self._extents[rows] = found.boxes_xyxy_px[blobs] - np.tile(points, 2)
        for row, blob in zip(rows[missing == 0], blobs[missing == 0], strict=True):
            box, area = found.boxes_xyxy_px[blob], float(found.areas_px[blob])
            if area < 1.6 * self._bodies.areas_px[row] or self._n == 1:
                self._bodies.learn(int(row), area, found.mask, box)

    def _learn_motion(self, rows: Rows, points: Floats, noise: Floats, whole: NDArray[np.bool_]) -> None:
        """Let the acceleration noise follow how wrong predictions are (innovation-based, Mehra 1970)."""
        used = whole & (self._alone_frames[rows] > CONFIRM_FRAMES) & (self._unseen[rows] == 0)
        if not used.any():
            return
        rows, points, noise = rows[used], points[used], noise[used]
        squares = ((points - self._motion.positions_px[rows]) ** 2).sum(axis=1) / 2
        surprise = np.clip(squares / (self._motion.position_vars[rows] + noise**2), 0, 9).mean()
        factor = np.exp(ACCELERATION_LEARN_RATE * (surprise - 1))
        self._acceleration = float(np.clip(self._acceleration * factor, *ACCELERATION_RANGE))

    def _see_contact(self, found: Detections, blob: int, rows: Rows) -> None:
        split = self._split(found, blob, rows)
        if split is None:
            return
        noise = (CONTACT_NOISE + OVERLAP_NOISE * split.overlap) * self._bodies.length_px
        self._motion.update(rows, split.centroids_px, np.full(len(rows), noise**2))
        self._extents[rows] = split.boxes_xyxy_px - np.tile(split.centroids_px, 2)
        self._bodies.angles_rad[rows] = split.angles_rad

    def _split(self, found: Detections, blob: int, rows: Rows) -> Split | None:
        """The blob's pixels shared among the animals `rows`; None where no mask tells them."""
        if found.mask is None:
            return None
        pixels = blob_pixels(found.mask, found.boxes_xyxy_px[blob])
        if not len(pixels):
            return None
        area = float(found.areas_px[blob])
        return split_blob(pixels, area, self._motion.positions_px[rows], self._bodies.shapes(rows))

    def _confine(self, found: Detections) -> None:
        if found.mask is not None:
            self._motion.confine(found.mask.shape[1], found.mask.shape[0])

    def _count(self, owners: Rows, alone: NDArray[np.bool_], step_frames: float) -> None:
        self._unseen = np.where(owners == NOBODY, self._unseen + max(step_frames, 1.0), 0.0)
        self._alone_frames = np.where(alone, self._alone_frames + 1, 0)
        self._confirmed |= self._alone_frames >= CONFIRM_FRAMES

    def _tracks(self, owners: Rows, alone: NDArray[np.bool_]) -> Tracks:
        places = self._motion.positions_px.copy()
        lost = owners == NOBODY
        coasting = np.maximum(SCORE_COAST * SCORE_COAST_KEEP**self._unseen, SCORE_LEAST)
        scores = np.where(lost, coasting, np.where(alone, 1.0, SCORE_CONTACT))
        names = np.where(lost, "lost", np.where(self._confirmed, "confirmed", "tentative"))
        return Tracks(
            track_ids=np.arange(1, self._n + 1, dtype=np.int64),
            centroids_px=places,
            boxes_xyxy_px=np.tile(places, 2) + self._extents,
            scores=scores,
            class_ids=np.zeros(self._n, np.int64),
            states=tuple(names.tolist()),
        )


def _check_finite(detections: Detections) -> None:
    for field in fields(detections):
        values = getattr(detections, field.name)
        if field.name in ("mask", "class_ids") or np.isfinite(values).all():
            continue
        row = int(np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))[0])
        raise TrackingError(
            f"detection row {row}: {field.name} is {values[row]}, not finite",
            next_step="let the detector leave out rows that it cannot measure",
        )


def _no_tracks() -> Tracks:
    none = np.empty(0)
    return Tracks(np.empty(0, np.int64), none.reshape(0, 2), none.reshape(0, 4), none, np.empty(0, np.int64))
