"""Animals that touch: which pixels of one blob belong to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_PIXELS = 600
MOST_ROUNDS = 10
STILL_PX = 0.1
TEXTURE_SD = 8.0  # gray levels, within one body
MOST_EXCHANGED = 4  # animals in one blob up to which all exchanges of two are tried
EXCHANGE_GAIN = 0.1  # by which an exchange must be likelier, per pixel
MOST_UNLIKE = 3.0  # so that a bright edge or a reflection does not decide alone
ELLIPSE_REACH = 2.0  # half an axis of a filled ellipse, in standard deviations of its pixels


@dataclass(frozen=True, slots=True)
class Shapes:
    """How k animals fill their pixels: variance along and across the body, axis angle, area, all (k,).

    A filled ellipse of half axes a, b has variances a²/4 and b²/4. `grays` (k,) are the animals' gray
    levels, NaN where unknown.
    """

    along_vars: Floats
    across_vars: Floats
    angles_rad: Floats
    areas_px: Floats
    grays: Floats

    def covariances(self) -> Floats:
        """(k, 2, 2), px²."""
        middle, half = (self.along_vars + self.across_vars) / 2, (self.along_vars - self.across_vars) / 2
        straight, slanted = half * np.cos(2 * self.angles_rad), half * np.sin(2 * self.angles_rad)
        rows = [[middle + straight, slanted], [slanted, middle - straight]]
        return np.moveaxis(np.array(rows), -1, 0)


@dataclass(frozen=True, slots=True)
class Split:
    """Where k animals are in one blob: centers (k, 2), boxes (k, 4) as left, top, right, bottom, angles (k,).

    `overlap` says how much of the animals' summed known area the blob does not show, 0 to 1: how far they
    lie on top of each other, and so how little the centers can be trusted. `order` (k,) says whose
    predicted place each animal has taken: 0, 1, 2, ... unless two had been mistaken for each other.
    """

    centroids_px: Floats
    boxes_xyxy_px: Floats
    angles_rad: Floats
    overlap: float
    order: NDArray[np.intp]


def blob_pixels(mask: NDArray[np.uint8], box_xyxy_px: Floats) -> NDArray[np.intp]:
    """The pixels (p, 2), as x, y, of the largest blob within the box, thinned out to at most MOST_PIXELS."""
    height, width = mask.shape
    left, top = np.clip(np.floor(box_xyxy_px[:2]).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(box_xyxy_px[2:]).astype(int) + 1, 1, (width, height))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask[top:bottom, left:right], connectivity=8)
    if count <= 1:
        return np.empty((0, 2), np.intp)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    places = np.flatnonzero(labels == largest)
    places = places[:: max(1, -(-len(places) // MOST_PIXELS))]
    rows, columns = np.divmod(places, labels.shape[1])
    return np.column_stack([columns + left, rows + top])


def split_blob(
    pixels_px: Floats, area_px: float, seeds_px: Floats, shapes: Shapes, grays: Floats | None = None
) -> Split:
    """Fit k animals of known size into the pixels (p, 2) of one blob, from their predicted places (k, 2).

    Each animal is an ellipse of its known axes, which may move and turn but not grow, and pixels are
    shared softly among them: expectation maximization for a Gaussian mixture (Dempster, Laird, Rubin 1977)
    with the covariance's size and the weights held to what was learned while the animals were alone. Held
    sizes keep the centers right where bodies overlap, which k-means does not. Where the pixels' `grays`
    (p,) are given, a pixel goes rather to an animal of its gray level, and two that had been mistaken for
    each other are exchanged. At most MOST_ROUNDS rounds
    over MOST_PIXELS pixels, so that a merged frame costs little more than any other.
    """
    middle = pixels_px.mean(axis=0)
    pixels_px = pixels_px - middle
    x, y = pixels_px.T
    terms = np.column_stack([x, y, x * x, y * y, x * y, np.ones_like(x)])
    centers = _nearest_pixels(pixels_px, seeds_px - middle)
    unlike = _unlikeness(grays, shapes)
    centers, shapes = _fit(terms, centers, shapes, unlike)
    order = _likeliest_order(terms, centers, shapes, unlike)
    if (order != np.arange(len(order))).any():
        shapes = replace(shapes, angles_rad=shapes.angles_rad[order])
        centers, shapes = _fit(terms, centers[order], shapes, unlike)
    centers = centers + middle
    reach = ELLIPSE_REACH * np.sqrt(np.diagonal(shapes.covariances(), axis1=1, axis2=2))
    boxes = np.hstack([centers - reach, centers + reach])
    overlap = 1 - area_px / max(float(shapes.areas_px.sum()), 1e-9)
    return Split(centers, boxes, shapes.angles_rad, float(np.clip(overlap, 0, 1)), order)


def _fit(terms: Floats, centers: Floats, shapes: Shapes, unlike: Floats) -> tuple[Floats, Shapes]:
    """Move and turn the animals until they lie still."""
    for _ in range(MOST_ROUNDS):
        share, _ = _responsibilities(terms, centers, shapes, unlike)
        moved, angles = _refit(terms, share, centers, shapes.angles_rad)
        shapes = replace(shapes, angles_rad=angles)
        still = np.abs(moved - centers).max() < STILL_PX
        centers = moved
        if still:
            break
    return centers, shapes


def _likeliest_order(terms: Floats, centers: Floats, shapes: Shapes, unlike: Floats) -> NDArray[np.intp]:
    """Whose place each animal should take, (k,): its own, unless looks say clearly that two are exchanged."""
    order = np.arange(len(centers))
    if unlike.shape[1] != len(centers) or len(centers) > MOST_EXCHANGED:
        return order
    best = _responsibilities(terms, centers, shapes, unlike)[1] + EXCHANGE_GAIN
    for i, j in combinations(range(len(centers)), 2):
        other = order.copy()
        other[[i, j]] = other[[j, i]]
        turned = replace(shapes, angles_rad=shapes.angles_rad[other])
        worth = _responsibilities(terms, centers[other], turned, unlike)[1]
        if worth > best:
            best, order = worth, other
    return order


def _nearest_pixels(pixels_px: Floats, seeds_px: Floats) -> Floats:
    """The seeds, each brought back to the blob where it lies outside."""
    squares = ((pixels_px[None] - seeds_px[:, None]) ** 2).sum(-1)
    nearest = squares.argmin(axis=1)
    outside = squares[np.arange(len(seeds_px)), nearest] > 1
    return np.where(outside[:, None], pixels_px[nearest], seeds_px)


def _unlikeness(grays: Floats | None, shapes: Shapes) -> Floats:
    """How badly each pixel's gray level fits each animal, (p, k) or a plain 0: a negative log-likelihood."""
    if grays is None or not np.isfinite(shapes.grays).all():
        return np.zeros((1, 1))
    return np.minimum(((grays[:, None] - shapes.grays) / TEXTURE_SD) ** 2 / 2, MOST_UNLIKE)


def _responsibilities(terms: Floats, centers: Floats, shapes: Shapes, unlike: Floats) -> tuple[Floats, float]:
    """Each pixel's share (p, k) of each animal, rows summing to 1, and the mean log-likelihood of a pixel.

    The squared distances are quadratic in the pixels' coordinates, so that they are one matrix product of
    the pixels' `terms` x, y, xx, yy, xy, 1 (p, 6) and the animals' coefficients.
    """
    precisions = np.linalg.inv(shapes.covariances())
    xx, yy, xy = precisions[:, 0, 0], precisions[:, 1, 1], precisions[:, 0, 1]
    x, y = centers.T
    bare = xx * x * x + yy * y * y + 2 * xy * x * y
    squares = terms @ np.array([-2 * (xx * x + xy * y), -2 * (yy * y + xy * x), xx, yy, 2 * xy, bare])
    volumes = np.sqrt(shapes.along_vars * shapes.across_vars)
    logs = np.log(np.maximum(shapes.areas_px, 1e-9) / volumes) - squares / 2 - unlike
    most = logs.max(axis=1, keepdims=True)
    share = np.exp(logs - most)
    sums = share.sum(axis=1, keepdims=True)
    return share / sums, float((np.log(sums) + most).mean())


def _refit(terms: Floats, share: Floats, centers: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Centers and axis angles of the animals given each pixel's shares; without pixels they stay."""
    sums = share.T @ terms
    weights = sums[:, 5]
    x, y, xx, yy, xy = (sums[:, :5] / np.maximum(weights, 1e-9)[:, None]).T
    turned = 0.5 * np.arctan2(2 * (xy - x * y), (xx - x * x) - (yy - y * y))
    empty = weights < 1
    return np.where(empty[:, None], centers, np.column_stack([x, y])), np.where(empty, angles, turned)
