"""Settings without a person: what detector, set how, shows a known number of animals in sample frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.errors import TrackingError
from zbus.tracking._adaptive import AdaptiveDetector, AdaptiveSettings
from zbus.tracking._background import BackgroundDetector, BackgroundSettings, median_picture
from zbus.tracking._pictures import to_mono
from zbus.tracking._tracking import Detections

Mono = NDArray[np.uint8]
Values = dict[str, Any]

FEWEST_IMAGES = 3
MOST_IMAGES = 60
SPECK_PX = 8.0
LARGEST_PART = 0.25  # of the picture that all animals together may cover
CONTRAST_PARTS = (0.25, 0.35, 0.5, 0.65)
LEAST_THRESHOLD = 6.0
NOISE_SIGMAS = 5.0
GOOD_ENOUGH = 0.85
OFFSET_PARTS = (0.2, 0.35, 0.5)
BLOCK_PARTS = (0.06, 0.15, 0.35)  # of the shorter side of the picture
SMALLEST_BLOCK_PX = 11
HALO_PART = 0.6  # of the other polarity's contrast; below it, what is found are halos
OPEN_WIDTHS = (0.0, 0.3)  # of an animal's width
LEAST_PART, DEBRIS_PART, MOST_PART = 0.25, 0.5, 1.8  # of an animal's typical area
SPREAD_COST = 0.5
ADAPTIVE_COST = 0.05
ALIKE = 0.06


@dataclass(frozen=True, slots=True)
class Trial:
    """How settings did on the samples: `score` up to 1, and the typical area of one animal."""

    name: str
    values: Values
    score: float
    area_px: float


def suggest_detector(images: Sequence[NDArray[Any]], animals: int) -> tuple[str, Values]:
    """The name of a detector and its settings, as plain values, for pictures of `animals` like `images`.

    Give 30 to 60 pictures (uint8, mono or BGR) spread over the whole video, so that the animals have moved
    between them; more are thinned out. The score of settings is how often exactly `animals` blobs of one
    size come out; of about equal ones those win that see whole bodies.

    Where the name is `background`, settings alone do not carry the background: write
    `median_picture(images)` as a PNG and set `background_path` to it, or call the detector's
    `learn(images)`; with neither, it is learned from the first live frames.

    Raises TrackingError where there are too few pictures or they differ in size. Takes a second or so.
    """
    if animals < 1:
        raise ValueError("animals must be 1 or more")
    if len(images) < FEWEST_IMAGES:
        raise TrackingError(
            f"{len(images)} pictures are too few to choose a detector by",
            next_step=f"give at least {FEWEST_IMAGES}, better 30, spread over the video",
        )
    stride = -(-len(images) // MOST_IMAGES)
    monos = [to_mono(image) for image in images[::stride]]
    background = median_picture(monos)
    trials = [
        _try(values, monos, background, animals) for values in _background_candidates(monos, background)
    ]
    best = _best(trials)
    trials += [_try(values, monos, background, animals) for values in _opened(best)]
    if max(trial.score for trial in trials) < GOOD_ENOUGH:
        trials += [_try_adaptive(values, monos, animals) for values in _adaptive_candidates(monos)]
    best = _best(trials)
    return best.name, _with_areas(best, animals)


def _best(trials: Sequence[Trial]) -> Trial:
    """Of the trials that did about equally well the one with the largest bodies: the others see parts."""
    top = max(trial.score for trial in trials)
    return max((trial for trial in trials if trial.score >= top - ALIKE), key=lambda trial: trial.area_px)


def _background_candidates(monos: Sequence[Mono], background: Mono) -> Iterator[Values]:
    """Both polarities at several parts of the contrast that they show."""
    for polarity, subtract in (("dark", lambda a, b: cv2.subtract(b, a)), ("light", cv2.subtract)):
        differences = np.stack([cv2.blur(subtract(mono, background), (3, 3)) for mono in monos])
        noise = NOISE_SIGMAS * 1.4826 * float(np.median(differences)) + LEAST_THRESHOLD
        peaks = np.sort(differences.reshape(len(monos), -1).max(axis=1))
        contrast = float(np.median(peaks))
        levels = {round(max(part * contrast, noise), 1) for part in CONTRAST_PARTS}
        for level in sorted(level for level in levels if level < 250):
            yield {"polarity": polarity, "threshold": level, "blur_px": 3}


def _opened(best: Trial) -> Iterator[Values]:
    """The best settings again, with tails and thin reflections wiped out."""
    width = np.sqrt(best.area_px) / 1.6
    for part in OPEN_WIDTHS:
        side = round(part * width)
        if side > 1:
            yield best.values | {"open_px": side}


def _adaptive_candidates(monos: Sequence[Mono]) -> Iterator[Values]:
    """Neighborhoods of several sizes, for the polarities that show much contrast in them."""
    for part in BLOCK_PARTS:
        block_px = max(round(part * min(monos[0].shape)), SMALLEST_BLOCK_PX) | 1
        contrasts = {invert: _local_contrast(monos, block_px, invert) for invert in (True, False)}
        strong = [invert for invert in contrasts if contrasts[invert] > HALO_PART * max(contrasts.values())]
        for invert, offset_part in product(strong, OFFSET_PARTS):
            offset = round(offset_part * contrasts[invert], 1)
            yield {"block_size": block_px, "offset": offset if invert else -offset, "invert": invert}


def _local_contrast(monos: Sequence[Mono], block_px: int, invert: bool) -> float:
    """How many gray levels the darkest, or else the lightest, place differs from its neighborhood's mean."""
    peaks: list[float] = []
    for mono in monos:
        mean, fine = cv2.blur(mono, (block_px, block_px)), cv2.blur(mono, (5, 5))
        peaks.append(float((cv2.subtract(mean, fine) if invert else cv2.subtract(fine, mean)).max()))
    return float(np.median(peaks))


def _try(values: Values, monos: Sequence[Mono], background: Mono, animals: int) -> Trial:
    limits: Values = {"min_area": SPECK_PX, "max_area": LARGEST_PART * background.size, "adapt_rate": 0.0}
    detector = BackgroundDetector(BackgroundSettings(**values, **limits))
    detector.learn([background])
    score, area_px = _rate([detector.detect(mono) for mono in monos], animals)
    return Trial("background", values, score, area_px)


def _try_adaptive(values: Values, monos: Sequence[Mono], animals: int) -> Trial:
    limits: Values = {"min_area": SPECK_PX, "max_area": LARGEST_PART * monos[0].size}
    detector = AdaptiveDetector(AdaptiveSettings(**values, **limits))
    score, area_px = _rate([detector.detect(mono) for mono in monos], animals)
    return Trial("adaptive", values, score - ADAPTIVE_COST, area_px)


def _rate(found: Sequence[Detections], animals: int) -> tuple[float, float]:
    """A score up to 1 for how often exactly `animals` blobs of one size come out, and that size in px²."""
    sorted_areas = [np.sort(one.areas_px)[::-1] for one in found]
    full = [areas[:animals] for areas in sorted_areas if len(areas) >= animals]
    if not full:
        return -1.0, SPECK_PX
    typical = float(np.median(np.concatenate(full)))
    counts = np.array(
        [((areas > DEBRIS_PART * typical) & (areas < MOST_PART * typical)).sum() for areas in sorted_areas]
    )
    debris = np.array([(areas > MOST_PART * typical).sum() for areas in sorted_areas])
    exact = (counts == animals) & (debris == 0)
    near = np.clip(1 - np.abs(counts - animals) / animals, 0, 1)
    spread = float(np.std(np.log(np.concatenate(full))))
    return float((exact.mean() + near.mean()) / 2 - SPREAD_COST * min(spread, 1.0)), typical


def _with_areas(best: Trial, animals: int) -> Values:
    """The settings with the limits that leave out specks and let touching animals through."""
    smallest, largest = LEAST_PART * best.area_px, MOST_PART * best.area_px * (animals + 0.5)
    return best.values | {"min_area": round(smallest, 1), "max_area": round(largest, 1)}
