"""The first picture of a known number of animals: which blobs they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zbus.tracking._splitting import Shapes, blob_pixels, split_blob
from zbus.tracking._tracking import Detections

Floats = NDArray[np.float64]

SIZE_SPREAD_COST = 2.0
LARGEST_SPREAD = 2.5


@dataclass(frozen=True, slots=True)
class Start:
    """Where n animals begin, (n, 2), and how large each is taken to be, (n,)."""

    centroids_px: Floats
    areas_px: Floats


def find_start(found: Detections, animals: int, *, patient: bool) -> Start | None:
    """Places for all `animals`, or None where the picture does not show them clearly.

    As many blobs as animals, or more of them (the rest are debris), are taken by consistent size. Fewer
    are taken when sizes say plainly who is in which blob; when not `patient`, in any case, by area. None
    is always the answer where no blob is found at all.
    """
    if len(found) >= animals:
        chosen = _alike(found.areas_px, animals)
        spread = found.areas_px[chosen].max() / max(found.areas_px[chosen].min(), 1e-9)
        if spread <= LARGEST_SPREAD or not patient:
            return Start(found.centroids_px[chosen], found.areas_px[chosen])
        return None
    if not len(found):
        return None
    typical = float(np.median(found.areas_px))
    counts = np.maximum(np.rint(found.areas_px / max(typical, 1e-9)), 1).astype(int)
    if patient and (counts.sum() != animals or counts.max() == counts.min()):
        return None
    return _divide(found, _share_out(found.areas_px, animals))


def _alike(areas_px: Floats, animals: int) -> NDArray[np.intp]:
    """The `animals` blobs of the most similar areas, large ones rather than small ones."""
    order = np.argsort(areas_px)
    logs = np.log(np.maximum(areas_px[order], 1e-9))
    starts = range(len(order) - animals + 1)
    worths = [
        np.median(logs[i : i + animals]) - SIZE_SPREAD_COST * (logs[i + animals - 1] - logs[i])
        for i in starts
    ]
    first = int(np.argmax(worths))
    return np.sort(order[first : first + animals])


def _share_out(areas_px: Floats, animals: int) -> NDArray[np.int64]:
    """How many animals are in each blob: one each, and every further one where most area is left."""
    counts = np.ones(len(areas_px), np.int64)
    for _ in range(animals - len(areas_px)):
        counts[int(np.argmax(areas_px / (counts + 0.5)))] += 1
    return counts


def _divide(found: Detections, counts: NDArray[np.int64]) -> Start:
    centers: list[Floats] = []
    areas: list[float] = []
    for blob, count in enumerate(counts):
        area = float(found.areas_px[blob]) / count
        centers.append(_spread(found, blob, int(count), area))
        areas += [area] * int(count)
    return Start(np.vstack(centers), np.array(areas))


def _spread(found: Detections, blob: int, count: int, area_px: float) -> Floats:
    """`count` places within one blob, (count, 2)."""
    if count == 1:
        return found.centroids_px[blob : blob + 1]
    box = found.boxes_xyxy_px[blob]
    pixels = np.empty((0, 2)) if found.mask is None else blob_pixels(found.mask, box).astype(float)
    if len(pixels) < count:
        return np.linspace(box[:2], box[2:], count + 2)[1:-1]
    seeds = pixels[[int(np.argmax(((pixels - pixels.mean(axis=0)) ** 2).sum(-1)))]]
    while len(seeds) < count:
        nearest = ((pixels[:, None] - seeds[None]) ** 2).sum(-1).min(axis=1)
        seeds = np.vstack([seeds, pixels[int(np.argmax(nearest))]])
    round_var = np.full(count, area_px / (4 * np.pi))
    shapes = Shapes(round_var, round_var, np.zeros(count), np.full(count, area_px), np.full(count, np.nan))
    return split_blob(pixels, area_px * count, seeds, shapes).centroids_px
