"""Which animal is in which blob: one each where they are apart, several in one where they touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zbus.tracking._assignment import assign
from zbus.tracking._splitting import blob_pixels
from zbus.tracking._tracking import Detections

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

NOBODY = -1
AREA_WEIGHT = 0.1  # cost of a blob e times an animal's size, in squared gates
SMALLEST_PART = 0.2  # a blob below this part of an animal's area is debris to it
TOUCH_LENGTHS = 0.35  # how far from a blob a prediction may lie to be in it, in body lengths
SMALLEST_LOST_PART = 0.4  # the same for an animal that was lost, and so could be anywhere
SMALLEST_FREE_PART = 0.6  # of the typical area, from which a blob may be a whole animal
LOOK_WEIGHT = 0.8  # cost of a blob that looks like somebody else
LOOK_SD = 2.0  # gray levels, of one animal from picture to picture
MOST_UNLIKE_SDS = 4.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of n animals: places (n, 2), gates, areas, grays, and two flags, all (n,).

    A gate is how far from its place an animal may be. `seen` says who was found in the last picture,
    `unsure` who comes out of a contact, so that looks (`grays`, NaN where unknown) help to tell who is who.
    """

    places_px: Floats
    gates_px: Floats
    areas_px: Floats
    grays: Floats
    seen: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    length_px: float


class Scene:
    """The blobs of one picture, as the matching needs them: distances and how many animals each may hold."""

    def __init__(self, found: Detections, typical_area_px: float) -> None:
        self.found = found
        self._typical_area_px = typical_area_px
        self._pixels: dict[int, NDArray[np.intp]] = {}
        self._grays: dict[int, float] = {}

    @cached_property
    def capacities(self) -> NDArray[np.int64]:
        """How many animals each blob has area for, at least one."""
        return np.maximum(np.rint(self.found.areas_px / self._typical_area_px), 1).astype(np.int64)

    def centroid_distances(self, places_px: Floats) -> Floats:
        """(n, m) from each place to each blob's centroid."""
        return np.linalg.norm(places_px[:, None] - self.found.centroids_px[None], axis=-1)

    def blob_distances(self, blob: int, places_px: Floats) -> Floats:
        """(n,) from each place to the nearest pixel of `blob`, or to its box where no mask is known."""
        left_top, right_bottom = np.split(self.found.boxes_xyxy_px[blob], 2)
        outside = np.maximum(np.maximum(left_top - places_px, places_px - right_bottom), 0)
        box_distances = np.linalg.norm(outside, axis=-1)
        if self.found.mask is None:
            return box_distances
        pixels = self.pixels(blob)
        if not len(pixels):
            return box_distances
        return np.sqrt(((places_px[:, None] - pixels[None]) ** 2).sum(-1).min(axis=1))

    def gray(self, blob: int) -> float:
        """The median gray level of `blob`, NaN where no picture is known."""
        if self.found.mono is None or self.found.mask is None:
            return float("nan")
        if blob not in self._grays:
            columns, rows = self.pixels(blob).T
            self._grays[blob] = (
                float(np.median(self.found.mono[rows, columns])) if len(rows) else float("nan")
            )
        return self._grays[blob]

    def pixels(self, blob: int) -> NDArray[np.intp]:
        """The pixels (p, 2), as x, y, of `blob`, thinned out; none where no mask is known."""
        if blob not in self._pixels and self.found.mask is not None:
            self._pixels[blob] = blob_pixels(self.found.mask, self.found.boxes_xyxy_px[blob])
        return self._pixels.get(blob, np.empty((0, 2), np.intp))


def match(scene: Scene, expected: Expected) -> Rows:
    """For each of n animals the blob it is in, or NOBODY's -1 where it is in none; a blob may hold several.

    Animals seen in the last picture choose first, each within its gate, by distance, size and, just after
    a contact, looks; a blob with area for several is offered as often, at the distance of its nearest
    pixel. Seen animals left over join a blob that covers their prediction (one body on top of another).
    Animals lost before then choose among what area is still left, so that nobody is robbed of a blob by
    one who comes back.
    """
    seen = expected.seen
    owners = np.full(len(seen), NOBODY, np.intp)
    if not len(scene.found):
        return owners
    costs = _costs(scene, expected)
    _choose(owners, np.flatnonzero(seen), costs, scene.capacities)
    _join(owners, np.flatnonzero(seen & (owners == NOBODY)), scene, expected)
    _choose(owners, np.flatnonzero(~seen), costs, scene.capacities)
    return owners


def find_misplaced(scene: Scene, expected: Expected, owners: Rows) -> tuple[int, int] | None:
    """An animal that looks misplaced and the nearest blob of animal size that nobody owns, or None.

    Misplaced are an animal alone on a blob much smaller than itself, and those who share a blob that has
    not area for all of them. Whether to believe it is the caller's choice, over several pictures: a full
    overlap near debris looks the same for a while.
    """
    areas = scene.found.areas_px
    crowd = np.bincount(owners[owners != NOBODY], minlength=len(areas))
    free = np.flatnonzero((crowd == 0) & (areas > SMALLEST_FREE_PART * np.median(expected.areas_px)))
    rows = np.flatnonzero(owners != NOBODY)
    blobs = owners[rows]
    small = (crowd[blobs] == 1) & (areas[blobs] < SMALLEST_LOST_PART * expected.areas_px[rows])
    suspects = rows[small | (crowd[blobs] > scene.capacities[blobs])]
    if not len(free) or not len(suspects):
        return None
    distances = scene.centroid_distances(expected.places_px[suspects])[:, free]
    suspect, column = np.unravel_index(int(np.argmin(distances)), distances.shape)
    return int(suspects[suspect]), int(free[column])


def _costs(scene: Scene, expected: Expected) -> Floats:
    """(n, m) in squared gates: 1 is as far as an animal can be."""
    distances = scene.centroid_distances(expected.places_px)
    sizes = scene.found.areas_px[None] / expected.areas_px[:, None]
    size_costs = AREA_WEIGHT * np.log(np.maximum(sizes, 1e-9)) ** 2
    size_costs[sizes < np.where(expected.seen, SMALLEST_PART, SMALLEST_LOST_PART)[:, None]] = np.inf
    for blob in np.flatnonzero(scene.capacities > 1):
        distances[:, blob] = scene.blob_distances(int(blob), expected.places_px)
        size_costs[:, blob] = 0
    costs = (distances / expected.gates_px[:, None]) ** 2 + size_costs
    for row in np.flatnonzero(expected.unsure & np.isfinite(expected.grays)):
        _add_looks(costs[row], scene, float(expected.grays[row]))
    return costs


def _add_looks(costs: Floats, scene: Scene, gray: float) -> None:
    """Make the blobs in reach that look unlike an animal of that gray level dearer than the likest one."""
    near = [int(blob) for blob in np.flatnonzero(costs < 1) if scene.capacities[blob] == 1]
    if len(near) <= 1:
        return
    unlike = np.array([min(abs(scene.gray(blob) - gray) / LOOK_SD, MOST_UNLIKE_SDS) for blob in near])
    looks = LOOK_WEIGHT * (unlike / MOST_UNLIKE_SDS) ** 2
    costs[near] += looks - looks.min()


def _choose(owners: Rows, rows: Rows, costs: Floats, capacities: NDArray[np.int64]) -> None:
    """Give the animals `rows` the places still free, at the least summed cost."""
    taken = np.bincount(owners[owners != NOBODY], minlength=len(capacities))
    slots = np.repeat(np.arange(len(capacities)), np.clip(capacities - taken, 0, len(owners)))
    chosen, columns = assign(costs[np.ix_(rows, slots)], gate=1.0)
    owners[rows[chosen]] = slots[columns]


def _join(owners: Rows, rows: Rows, scene: Scene, expected: Expected) -> None:
    """Put the animals `rows` into the nearest blob that covers their place, whoever else is in it."""
    for row in rows:
        large = np.flatnonzero(scene.found.areas_px > SMALLEST_FREE_PART * expected.areas_px[row]).tolist()
        place = expected.places_px[row : row + 1]
        distances = {blob: scene.blob_distances(blob, place)[0] for blob in large}
        nearest = min(distances, key=distances.__getitem__, default=NOBODY)
        if nearest != NOBODY and distances[nearest] <= TOUCH_LENGTHS * expected.length_px:
            owners[row] = nearest
