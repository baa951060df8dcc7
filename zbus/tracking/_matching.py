"""Which animal is in which blob: one each where they are apart, several in one where they touch."""

from __future__ import annotations

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
SEARCH_PIXELS = 300


class Scene:
    """The blobs of one picture, as the matching needs them: distances and how many animals each may hold."""

    def __init__(self, found: Detections, typical_area_px: float) -> None:
        self.found = found
        self._typical_area_px = typical_area_px
        self._pixels: dict[int, Floats] = {}

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
        if blob not in self._pixels:
            self._pixels[blob] = blob_pixels(self.found.mask, self.found.boxes_xyxy_px[blob], SEARCH_PIXELS)
        pixels = self._pixels[blob]
        if not len(pixels):
            return box_distances
        return np.sqrt(((places_px[:, None] - pixels[None]) ** 2).sum(-1).min(axis=1))


def match(
    scene: Scene,
    places_px: Floats,
    gates_px: Floats,
    areas_px: Floats,
    seen: NDArray[np.bool_],
    length_px: float,
) -> Rows:
    """For each of n animals the blob it is in, or NOBODY's -1 where it is in none; a blob may hold several.

    Animals seen in the last picture choose first, each within its gate, by distance and size; a blob with
    area for several is offered as often, at the distance of its nearest pixel. Seen animals left over join
    a blob that covers their prediction (one body on top of another). Animals lost before then choose
    among what area is still left, so that nobody is robbed of a blob by one who comes back.
    """
    owners = np.full(len(places_px), NOBODY, np.intp)
    if not len(scene.found):
        return owners
    costs = _costs(scene, places_px, gates_px, areas_px)
    _choose(owners, np.flatnonzero(seen), costs, scene.capacities)
    _join(owners, np.flatnonzero(seen & (owners == NOBODY)), scene, places_px, TOUCH_LENGTHS * length_px)
    _choose(owners, np.flatnonzero(~seen), costs, scene.capacities)
    return owners


def _costs(scene: Scene, places_px: Floats, gates_px: Floats, areas_px: Floats) -> Floats:
    """(n, m) in squared gates: 1 is as far as an animal can be."""
    distances = scene.centroid_distances(places_px)
    sizes = scene.found.areas_px[None] / areas_px[:, None]
    size_costs = AREA_WEIGHT * np.log(np.maximum(sizes, 1e-9)) ** 2
    size_costs[sizes < SMALLEST_PART] = np.inf
    for blob in np.flatnonzero(scene.capacities > 1):
        distances[:, blob] = scene.blob_distances(int(blob), places_px)
        size_costs[:, blob] = 0
    return (distances / gates_px[:, None]) ** 2 + size_costs


def _choose(owners: Rows, rows: Rows, costs: Floats, capacities: NDArray[np.int64]) -> None:
    """Give the animals `rows` the places still free, at the least summed cost."""
    taken = np.bincount(owners[owners != NOBODY], minlength=len(capacities))
    slots = np.repeat(np.arange(len(capacities)), np.clip(capacities - taken, 0, len(owners)))
    chosen, columns = assign(costs[np.ix_(rows, slots)], gate=1.0)
    owners[rows[chosen]] = slots[columns]


def _join(owners: Rows, rows: Rows, scene: Scene, places_px: Floats, touch_px: float) -> None:
    """Put the animals `rows` into the nearest blob that covers their place, whoever else is in it."""
    for row in rows:
        place = places_px[row : row + 1]
        distances = [scene.blob_distances(blob, place)[0] for blob in range(len(scene.found))]
        nearest = int(np.argmin(distances))
        if distances[nearest] <= touch_px and scene.found.areas_px[nearest] > 0:
            owners[row] = nearest
