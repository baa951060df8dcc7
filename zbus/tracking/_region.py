"""The arena: the part of the picture where animals can be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

CIRCLE_NUMBERS = 3
POLYGON_CORNERS = 3


def check_region(region_px: Sequence[Sequence[float]], circle_px: Sequence[float]) -> None:
    """Raise ValueError, starting with the field's name, where an arena cannot be drawn."""
    if region_px and (len(region_px) < POLYGON_CORNERS or any(len(corner) != 2 for corner in region_px)):
        raise ValueError("region_px must be at least three corners, each [x, y]")
    if not all(math.isfinite(number) for corner in region_px for number in corner):
        raise ValueError("region_px must be finite numbers")
    if circle_px and (len(circle_px) != CIRCLE_NUMBERS or not all(map(math.isfinite, circle_px))):
        raise ValueError("circle_px must be three finite numbers: center x, center y, radius")
    if circle_px and circle_px[2] <= 0:
        raise ValueError("circle_px must have a radius above 0")


class Region:
    """Drops what lies outside a polygon, a circle, or both; without either it keeps everything."""

    def __init__(self, region_px: Sequence[Sequence[float]] = (), circle_px: Sequence[float] = ()) -> None:
        self._polygon = [tuple(corner) for corner in region_px]
        self._circle = tuple(circle_px)
        self._mask: NDArray[np.uint8] | None = None

    def keep(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Set `mask` to 0 outside the arena, in place, and return it."""
        if not self._polygon and not self._circle:
            return mask
        if self._mask is None or self._mask.shape != mask.shape:
            self._mask = self.draw(mask.shape[0], mask.shape[1])
        cv2.bitwise_and(mask, self._mask, dst=mask)
        return mask

    def draw(self, height: int, width: int) -> NDArray[np.uint8]:
        """The arena as uint8 (height, width), 255 inside."""
        inside = np.full((height, width), 255, np.uint8)
        if self._polygon:
            drawn = np.zeros_like(inside)
            corners = np.rint(np.array(self._polygon, float)).astype(np.int32)
            inside &= cv2.fillPoly(drawn, [corners], (255,)).astype(np.uint8)
        if self._circle:
            x, y = np.arange(width)[None, :], np.arange(height)[:, None]
            center_x, center_y, radius = self._circle
            inside[(x - center_x) ** 2 + (y - center_y) ** 2 > radius**2] = 0
        return inside
