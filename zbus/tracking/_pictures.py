"""From pictures to masks to rows: what every detector of this room shares."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.errors import TrackingError
from zbus.tracking._tracking import Detections

COLOR_CHANNELS = 3
COLOR_DIMENSIONS = 3
MONO_DIMENSIONS = 2


def to_mono(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The picture as uint8 (height, width): `image` itself where it is mono, else its gray in a new array.

    Raises TrackingError where `image` is neither uint8 (height, width) nor uint8 (height, width, 3).
    """
    if image.dtype != np.uint8 or image.size == 0:
        raise TrackingError(
            f"a picture of {image.dtype} {image.shape} cannot be searched",
            next_step="give uint8 pictures: mono8 or bgr8",
        )
    if image.ndim == MONO_DIMENSIONS:
        return image
    if image.ndim == COLOR_DIMENSIONS and image.shape[2] == COLOR_CHANNELS:
        return cast("NDArray[np.uint8]", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    raise TrackingError(
        f"a picture of shape {image.shape} is neither (height, width) nor (height, width, 3)",
        next_step="convert it to mono8 or bgr8 first",
    )


def find_blobs(
    mask: NDArray[np.uint8], min_area_px: float, max_area_px: float, mono: NDArray[np.uint8] | None = None
) -> Detections:
    """The connected regions of `mask` whose outline encloses an area between the two limits, exclusive.

    Area and centroid are those of the outline (the polygon through the centers of the border pixels), as
    Tracktor measures them; holes are not subtracted and are no rows of their own. `mask` and `mono`
    are kept as they are in the answer, not copied.
    """
    outlines, levels = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rows = [
        _measure(outline, area)
        for outline, level in zip(outlines, levels[0] if len(outlines) else (), strict=True)
        if level[3] < 0 and min_area_px < (area := cv2.contourArea(outline)) < max_area_px
    ]
    table = np.array(rows, float).reshape(-1, 7)
    return Detections(
        centroids_px=table[:, 0:2].copy(),
        boxes_xyxy_px=table[:, 2:6].copy(),
        areas_px=table[:, 6].copy(),
        scores=np.ones(len(table)),
        class_ids=np.zeros(len(table), np.int64),
        mask=mask,
        mono=mono,
    )


def _measure(outline: NDArray[Any], area_px: float) -> tuple[float, ...]:
    """One row: centroid x and y, box left, top, right and bottom, area."""
    left, top, width, height = cv2.boundingRect(outline)
    box = (left, top, left + width - 1, top + height - 1)
    if area_px <= 0:
        middle = outline.reshape(-1, 2).mean(axis=0)
        return (*middle, *box, area_px)
    moments = cv2.moments(outline)
    return (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], *box, area_px)
