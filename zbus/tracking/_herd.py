"""The animals once they are found: predicted, matched, split where they touch, and learned from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zbus.tracking._bodies import Bodies
from zbus.tracking._kalman import ConstantVelocity
from zbus.tracking._matching import NOBODY, Expected, Rows, Scene, find_misplaced, match
from zbus.tracking._meetings import Meetings
from zbus.tracking._splitting import Split, split_blob
from zbus.tracking._start import Start
from zbus.tracking._tracking import Detections
from zbus.wire import Tracks

Floats = NDArray[np.float64]

# Lengths are in body lengths, times in nominal frames.
GATE_LENGTHS = 1.5  # nobody is expected to be further than this off its prediction
GATE_SIGMAS = 4.0
UNSURE_GATE_LENGTHS = 2.5
ALONE_NOISE = 0.01
CONTACT_NOISE = 0.08
OVERLAP_NOISE = 0.6  # added, times the overlap
PARTIAL_NOISE = 3.0  # added where a blob is smaller than its animal, times the square of what is missing
FIRST_ACCELERATION = 0.1
ACCELERATION_RANGE = (0.01, 0.5)
ACCELERATION_LEARN_RATE = 0.02
FIRST_SPEED = 0.5
COAST_KEEP = 0.9
CONFIRM_FRAMES = 3
DOUBT_FRAMES = 8  # how long looks may still correct who came out of a contact
GRAY_EVERY_FRAMES = 3
RESCUE_FRAMES = 5  # how long an animal must look misplaced to be put elsewhere
WHOLE_PART, ONE_BODY_PART = 0.75, 1.6  # of its known area, within which a blob is one whole animal
SCORE_CONTACT = 0.6
SCORE_COAST, SCORE_COAST_KEEP, SCORE_LEAST = 0.4, 0.95, 0.05


class Herd:
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
        self._doubt = np.zeros(self._n)
        self._meetings = Meetings(self._n)
        self._frames = 0
        self._misplaced_frames = 0
        self._extents = np.tile(length / 4 * np.array([-1, -1, 1, 1.0]), (self._n, 1))

    def step(self, found: Detections, step_frames: float) -> Tracks:
        """Move on by `step_frames` nominal frames to the picture that shows `found`."""
        length = self._bodies.length_px
        keep = np.where(self._unseen > 0, COAST_KEEP, 1.0)
        self._motion.predict(step_frames, (self._acceleration * length) ** 2, keep)
        self._confine(found)
        scene = Scene(found, self._bodies.typical_area_px)
        owners = self._match(scene, self._expected(step_frames))
        crowd = np.bincount(owners[owners != NOBODY], minlength=len(found))
        alone = (owners != NOBODY) & (crowd[owners] == 1 if len(found) else False)
        self._see_alone(found, np.flatnonzero(alone), owners)
        self._learn_bodies(scene, np.flatnonzero(alone), owners)
        for blob in np.flatnonzero(crowd > 1):
            self._see_contact(scene, int(blob), np.flatnonzero(owners == blob))
        for pair in self._meetings.settle(self._bodies.grays):
            self._exchange(np.array(pair))
        self._confine(found)
        self._count(owners, alone, step_frames)
        return self._tracks(owners, alone)

    def _match(self, scene: Scene, expected: Expected) -> Rows:
        """The blob of each animal; one who looks misplaced for long is put where an animal lies unclaimed."""
        owners = match(scene, expected)
        misplaced = find_misplaced(scene, expected, owners)
        self._misplaced_frames = 0 if misplaced is None else self._misplaced_frames + 1
        if misplaced is not None and self._misplaced_frames >= RESCUE_FRAMES:
            row, blob = misplaced
            owners[row] = blob
            self._unseen[row] = 1
            self._misplaced_frames = 0
        return owners

    def _expected(self, step_frames: float) -> Expected:
        unsure = (self._doubt > 0) | (self._unseen > 0)
        return Expected(
            places_px=self._motion.positions_px,
            gates_px=self._gates(step_frames, unsure),
            areas_px=self._bodies.areas_px,
            grays=self._bodies.grays,
            seen=self._unseen == 0,
            unsure=unsure,
            length_px=self._bodies.length_px,
        )

    def _gates(self, step_frames: float, unsure: NDArray[np.bool_]) -> Floats:
        """How far from its prediction each animal may be found, px."""
        length = self._bodies.length_px
        if self._max_step_px:
            return self._max_step_px * np.maximum(self._unseen + step_frames, 1.0)
        spread = GATE_SIGMAS * np.sqrt(self._motion.position_vars)
        least = np.where(unsure, UNSURE_GATE_LENGTHS, GATE_LENGTHS)
        return np.maximum(spread, least * length)

    def _see_alone(self, found: Detections, rows: Rows, owners: Rows) -> None:
        blobs, length = owners[rows], self._bodies.length_px
        points, areas = found.centroids_px[blobs], found.areas_px[blobs]
        missing = np.clip(1 - areas / self._bodies.areas_px[rows], 0, 1)
        noise = (ALONE_NOISE + PARTIAL_NOISE * missing**2) * length
        self._learn_motion(rows, points, noise, missing <= 1 - WHOLE_PART)
        jumped = np.linalg.norm(points - self._motion.positions_px[rows], axis=1) > length
        back = rows[(self._unseen[rows] > 0) | (jumped & (self._doubt[rows] > 0))]
        self._motion.update(rows, points, noise**2)
        self._motion.restart(back, found.centroids_px[owners[back]], (ALONE_NOISE * length) ** 2)
        self._extents[rows] = found.boxes_xyxy_px[blobs] - np.tile(points, 2)

    def _learn_bodies(self, scene: Scene, rows: Rows, owners: Rows) -> None:
        """Take in the sizes and looks of the animals `rows`, each alone in its blob."""
        found, unsure = scene.found, self._meetings.open_rows
        for row, blob in zip(rows.tolist(), owners[rows].tolist(), strict=True):
            area = float(found.areas_px[blob])
            part = area / self._bodies.areas_px[row]
            whole = WHOLE_PART <= part <= ONE_BODY_PART
            if not whole and (len(rows) < self._n or self._doubt[row]):
                continue
            self._bodies.learn(row, area, found.mask, found.boxes_xyxy_px[blob])
            if unsure[row]:
                self._meetings.see(row, scene.gray(blob))
            elif (self._frames + row) % GRAY_EVERY_FRAMES == 0:
                self._bodies.learn_gray(row, scene.gray(blob))

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

    def _exchange(self, pair: Rows) -> None:
        """Two had been mistaken for each other: each goes on from where the other is taken to be."""
        others = pair[::-1]
        self._motion.exchange(pair, others)
        self._extents[pair] = self._extents[others]
        self._bodies.angles_rad[pair] = self._bodies.angles_rad[others]

    def _see_contact(self, scene: Scene, blob: int, rows: Rows) -> None:
        self._meetings.touch(rows)
        split = self._split(scene, blob, rows)
        if split is None:
            return
        self._motion.exchange(rows, rows[split.order])
        noise = (CONTACT_NOISE + OVERLAP_NOISE * split.overlap) * self._bodies.length_px
        self._motion.update(rows, split.centroids_px, np.full(len(rows), noise**2))
        self._extents[rows] = split.boxes_xyxy_px - np.tile(split.centroids_px, 2)
        self._bodies.angles_rad[rows] = split.angles_rad

    def _split(self, scene: Scene, blob: int, rows: Rows) -> Split | None:
        """The blob's pixels shared among the animals `rows`; None where no mask tells them."""
        pixels, found = scene.pixels(blob), scene.found
        if not len(pixels):
            return None
        grays = None if found.mono is None else found.mono[pixels[:, 1], pixels[:, 0]].astype(float)
        seeds, shapes = self._motion.positions_px[rows], self._bodies.shapes(rows)
        return split_blob(pixels.astype(float), float(found.areas_px[blob]), seeds, shapes, grays)

    def _confine(self, found: Detections) -> None:
        if found.mask is not None:
            self._motion.confine(found.mask.shape[1], found.mask.shape[0])

    def _count(self, owners: Rows, alone: NDArray[np.bool_], step_frames: float) -> None:
        self._unseen = np.where(owners == NOBODY, self._unseen + max(step_frames, 1.0), 0.0)
        self._doubt = np.where(alone, np.maximum(self._doubt - 1, 0), DOUBT_FRAMES)
        self._frames += 1
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
