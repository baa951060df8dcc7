"""Animals by what the empty arena looks like: whatever differs from a learned background."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.errors import TrackingError
from zbus.tracking._pictures import find_blobs, to_mono
from zbus.tracking._region import Region, check_region
from zbus.tracking._tracking import Detections

Polarity = Literal["dark", "light", "auto"]
BRIGHTEST = 255
LIGHT_STRIDE_PX = 8
UPDATE_EVERY_FRAMES = 5
GUARD_PX = 7


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """How to subtract.

    `threshold` is how many gray levels an animal differs from the background; `polarity` says which way
    (`dark` animals, `light` ones, or `auto` for both). Blobs of `min_area` < area < `max_area` px² are
    kept (`max_area` must have room for all animals that may touch). `blur_px` smooths the difference over
    a square of that side (1 does not); `open_px` wipes out what is thinner than that, such as tails and
    reflections (0 does not).

    The background is the picture in the file `background_path`, or what `learn` was given, or else the
    median of `learn_samples` pictures taken every `learn_every` frames from the start, during which the
    animals must move away from where they were. It then follows slow changes of light at `adapt_rate` of
    the difference per frame, except where animals are. `region_px` (corners [x, y]) and `circle_px`
    (center x, center y, radius) leave out what is not arena.
    """

    threshold: float = 25.0
    polarity: Polarity = "auto"
    min_area: float = 50.0
    max_area: float = 20000.0
    blur_px: int = 3
    open_px: int = 0
    background_path: str = ""
    learn_samples: int = 25
    learn_every: int = 4
    adapt_rate: float = 0.002
    region_px: tuple[tuple[float, ...], ...] = ()
    circle_px: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        rules = (
            ("threshold must be above 0 and below 255", 0 < self.threshold < BRIGHTEST),
            ("polarity must be dark, light or auto", self.polarity in ("dark", "light", "auto")),
            ("min_area must be 0 or more", 0 <= self.min_area < float("inf")),
            ("max_area must be above min_area", self.max_area > self.min_area),
            ("blur_px must be 1 or more", self.blur_px >= 1),
            ("open_px must be 0 or more", self.open_px >= 0),
            ("learn_samples must be 3 or more", self.learn_samples >= 3),
            ("learn_every must be 1 or more", self.learn_every >= 1),
            ("adapt_rate must be within 0 and 1", 0 <= self.adapt_rate <= 1),
        )
        for rule, holds in rules:
            if not holds:
                raise ValueError(rule)
        check_region(self.region_px, self.circle_px)


def median_picture(images: Iterable[NDArray[Any]]) -> NDArray[np.uint8]:
    """What most of `images` show at each place, uint8 (height, width): the arena without what moves.

    Some 15 to 60 pictures spread over minutes serve well. Raises TrackingError where there is none or
    their sizes differ.
    """
    monos = [to_mono(image) for image in images]
    if len({mono.shape for mono in monos}) != 1:
        raise TrackingError(
            f"a background needs pictures of one size, not {sorted({mono.shape for mono in monos})}",
            next_step="give pictures of one camera and one setting",
        )
    return np.median(np.stack(monos), axis=0).astype(np.uint8)


class BackgroundDetector:
    """Finds blobs that differ from the empty arena; robust where the floor has patterns, walls or gradients.

    A flicker of the whole picture is taken out in each frame; slow local changes are learned. While the
    background is still being learned from live pictures, nothing is found.
    """

    Settings: ClassVar[type] = BackgroundSettings

    def __init__(self, settings: BackgroundSettings | None = None) -> None:
        self._settings = settings or BackgroundSettings()
        self._region = Region(self._settings.region_px, self._settings.circle_px)
        side = self._settings.open_px
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)) if side else None
        self.reset()

    def reset(self) -> None:
        """Forget the background; it is read or learned again."""
        self._slow: NDArray[np.float32] | None = None
        self._background: NDArray[np.uint8] | None = None
        self._samples: list[NDArray[np.uint8]] = []
        self._frames = 0

    def learn(self, images: Iterable[NDArray[Any]]) -> None:
        """Take the median of `images` as the background. Raises TrackingError where their sizes differ."""
        self._take(median_picture(images))

    def detect(self, image: NDArray[Any]) -> Detections:
        """Blobs of `image`, uint8 mono or BGR, which is only read.

        Raises TrackingError for other pictures, for one of another size than the background's, and where
        the file of the background cannot be read.
        """
        mono = to_mono(image)
        self._frames += 1
        if self._background is None:
            self._find_background(mono)
        if self._background is None:
            return find_blobs(np.zeros_like(mono), 0, 1)
        if self._background.shape != mono.shape:
            raise TrackingError(
                f"the picture is {mono.shape}, the background {self._background.shape} (height, width)",
                next_step="reset the detector or learn a background of the same camera settings",
            )
        mask = self._region.keep(self._foreground(mono, self._background))
        found = find_blobs(mask, self._settings.min_area, self._settings.max_area, mono)
        if self._frames % UPDATE_EVERY_FRAMES == 0:
            self._adapt(mono, found)
        return found

    def _find_background(self, mono: NDArray[np.uint8]) -> None:
        if self._settings.background_path:
            self._take(_read_background(self._settings.background_path))
            return
        if (self._frames - 1) % self._settings.learn_every == 0:
            self._samples.append(mono.copy())
        if len(self._samples) == self._settings.learn_samples:
            self._take(median_picture(self._samples))

    def _take(self, background: NDArray[np.uint8]) -> None:
        self._background, self._slow = background, background.astype(np.float32)
        self._samples = []

    def _foreground(self, mono: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
        settings = self._settings
        change = _light_change(mono, background)
        if settings.polarity == "dark":
            difference, level = cv2.subtract(background, mono), settings.threshold - change
        elif settings.polarity == "light":
            difference, level = cv2.subtract(mono, background), settings.threshold + change
        else:
            lit = cv2.convertScaleAbs(background, alpha=1, beta=change) if change else background
            difference, level = cv2.absdiff(mono, lit), settings.threshold
        if settings.blur_px > 1:
            difference = cv2.blur(difference, (settings.blur_px, settings.blur_px))
        _, mask = cv2.threshold(difference, max(level, 1.0), BRIGHTEST, cv2.THRESH_BINARY)
        if self._kernel is not None:
            mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._kernel)
        return cast("NDArray[np.uint8]", mask)

    def _adapt(self, mono: NDArray[np.uint8], found: Detections) -> None:
        """Let the background follow the light everywhere but around the blobs found."""
        rate = self._settings.adapt_rate * UPDATE_EVERY_FRAMES
        if not rate or self._slow is None:
            return
        free = np.full(mono.shape, BRIGHTEST, np.uint8)
        for left, top, right, bottom in found.boxes_xyxy_px.astype(int):
            free[max(top - GUARD_PX, 0) : bottom + GUARD_PX, max(left - GUARD_PX, 0) : right + GUARD_PX] = 0
        cv2.accumulateWeighted(mono, self._slow, min(rate, 1.0), free)
        self._background = cast("NDArray[np.uint8]", cv2.convertScaleAbs(self._slow))


def _light_change(mono: NDArray[np.uint8], background: NDArray[np.uint8]) -> float:
    """By how many gray levels the whole picture is brighter than the background."""
    strided = (slice(None, None, LIGHT_STRIDE_PX), slice(None, None, LIGHT_STRIDE_PX))
    differences = mono[strided].astype(np.int16) - background[strided]
    return float(np.median(differences))


def _read_background(path: str) -> NDArray[np.uint8]:
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise TrackingError(
            f"the background picture {path!r} cannot be read",
            next_step="give background_path the name of a PNG, or leave it out to learn from live frames",
        )
    return cast("NDArray[np.uint8]", picture)
