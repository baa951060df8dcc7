"""What is known of each animal's body: learned from the pictures while it is alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.tracking._splitting import Shapes

Floats = NDArray[np.float64]

LEARN_RATE = 0.05
USUAL_ELONGATION = 2.5
LEAST_VAR_PX = 0.25
FOREIGN_SHARE = 1.6  # pixels in the box above this part of the outline's area belong to somebody else


class Bodies:
    """Area, shape, axis angle and gray level of n animals: running means, but for the last angle seen.

    `grays` (n,) are NaN until learned.
    """

    def __init__(self, areas_px: Floats) -> None:
        self.areas_px = np.maximum(np.array(areas_px, float), 1.0)
        n = len(self.areas_px)
        self.angles_rad = np.zeros(n)
        self.grays = np.full(n, np.nan)
        self._along = self.areas_px * USUAL_ELONGATION / (4 * np.pi)
        self._across = self.areas_px / USUAL_ELONGATION / (4 * np.pi)

    @property
    def typical_area_px(self) -> float:
        """The median animal's area."""
        return float(np.median(self.areas_px))

    @property
    def length_px(self) -> float:
        """The median animal's body length: the unit in which defaults are given."""
        return float(4 * np.sqrt(np.median(self._along)))

    def shapes(self, rows: NDArray[np.intp]) -> Shapes:
        """The shapes of the animals `rows`, for splitting a blob among them."""
        return Shapes(
            self._along[rows],
            self._across[rows],
            self.angles_rad[rows],
            self.areas_px[rows],
            self.grays[rows],
        )

    def learn_gray(self, row: int, gray: float) -> None:
        """Take in the gray level of the animal `row`, alone in its blob and surely itself."""
        known = self.grays[row]
        self.grays[row] = gray if np.isnan(known) else known + LEARN_RATE * (gray - known)

    def learn(self, row: int, area_px: float, mask: NDArray[np.uint8] | None, box_xyxy_px: Floats) -> None:
        """Take in how the animal `row`, alone in its blob, looks in this picture."""
        self.areas_px[row] += LEARN_RATE * (area_px - self.areas_px[row])
        if mask is None:
            return
        left, top, right, bottom = np.maximum(np.rint(box_xyxy_px), 0).astype(int)
        moments = cv2.moments(mask[top : bottom + 1, left : right + 1], binaryImage=True)
        pixels = moments["m00"]
        if not 0 < pixels < FOREIGN_SHARE * max(area_px, 1.0):
            return
        xx, yy, xy = (moments[name] / pixels for name in ("mu20", "mu02", "mu11"))
        middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        self.angles_rad[row] = 0.5 * np.arctan2(2 * xy, xx - yy)
        self._along[row] += LEARN_RATE * (max(middle + spread, LEAST_VAR_PX) - self._along[row])
        self._across[row] += LEARN_RATE * (max(middle - spread, LEAST_VAR_PX) - self._across[row])
