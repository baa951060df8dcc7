"""Animals by local contrast: darker or lighter than their surroundings, without a background or learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.tracking._pictures import find_blobs, to_mono
from zbus.tracking._region import Region, check_region
from zbus.tracking._tracking import Detections

BLUR_PX = (5, 5)
SMALLEST_BLOCK = 3


@dataclass(frozen=True, slots=True)
class AdaptiveSettings:
    """How to threshold. The first five mean what they mean in Tracktor's parameter files.

    `block_size` is the side of the neighborhood in px (an even one counts as the next odd one), wider than
    an animal; `offset` is how many gray levels an animal differs from its neighborhood's mean; blobs of
    `min_area` < area < `max_area` px² are kept (`max_area` must have room for all animals that may touch).
    `invert` is true for animals darker than the floor. `region_px` (corners [x, y]) and `circle_px`
    (center x, center y, radius) leave out what is not arena.
    """

    block_size: int = 51
    offset: float = 15.0
    min_area: float = 50.0
    max_area: float = 20000.0
    invert: bool = True
    region_px: tuple[tuple[float, ...], ...] = ()
    circle_px: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.block_size < SMALLEST_BLOCK:
            raise ValueError(f"block_size must be at least {SMALLEST_BLOCK}")
        if not -255 <= self.offset <= 255:
            raise ValueError("offset must be within -255 and 255 gray levels")
        if not 0 <= self.min_area < float("inf"):
            raise ValueError("min_area must be 0 or more")
        if not self.max_area > self.min_area:
            raise ValueError("max_area must be above min_area")
        check_region(self.region_px, self.circle_px)


class AdaptiveDetector:
    """Finds blobs by an adaptive mean threshold after a 5 by 5 box blur. Keeps no memory between pictures.

    The method is Tracktor's (Sridhar, Roche, Gingins 2019, Methods Ecol. Evol. 10:816), on gray values:
    a color picture is made gray before the blur. Outlines of holes are not rows.
    """

    Settings: ClassVar[type] = AdaptiveSettings

    def __init__(self, settings: AdaptiveSettings | None = None) -> None:
        self._settings = settings or AdaptiveSettings()
        self._region = Region(self._settings.region_px, self._settings.circle_px)

    def detect(self, image: NDArray[Any]) -> Detections:
        """Blobs of `image`, uint8 mono or BGR, only read. Raises TrackingError for other pictures."""
        settings = self._settings
        kind = cv2.THRESH_BINARY_INV if settings.invert else cv2.THRESH_BINARY
        mono = to_mono(image)
        blurred = cv2.blur(mono, BLUR_PX)
        block_px = settings.block_size | 1
        mask = cv2.adaptiveThreshold(
            blurred, 255, cv2.ADAPTIVE_THRESH_MEAN_C, kind, block_px, settings.offset
        )
        mask = self._region.keep(cast("NDArray[np.uint8]", mask))
        return find_blobs(mask, settings.min_area, settings.max_area, mono)

    def reset(self) -> None:
        """Nothing to forget: each picture is searched by itself."""
