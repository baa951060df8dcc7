"""Short films with known truth, for the tests of this room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zbus.testing._detector_contract import draw_animals
from zbus.wire import Tracks

SIZE_PX = (240, 320)
Floats = NDArray[np.float64]


def straight(starts_px, steps_px, frames: int) -> Floats:
    """Places (frames, n, 2) of animals that walk straight on."""
    return np.array(starts_px, float) + np.arange(frames)[:, None, None] * np.array(steps_px, float)


def film(truth_px: Floats, *, noise: float = 0.0, seed: int = 0, **drawing) -> list[NDArray[np.uint8]]:
    """A picture per row of `truth_px`, every animal headed along its way."""
    steps = np.gradient(truth_px, axis=0) if len(truth_px) > 1 else np.zeros_like(truth_px)
    angles = np.arctan2(steps[..., 1], steps[..., 0])
    drawing = {"size_px": SIZE_PX} | drawing
    images = [draw_animals(places, turns, **drawing) for places, turns in zip(truth_px, angles, strict=True)]
    return [add_noise(image, noise, seed + number) for number, image in enumerate(images)]


def add_noise(image: NDArray[np.uint8], noise: float, seed: int) -> NDArray[np.uint8]:
    """The picture with Gaussian noise of that many gray levels."""
    if not noise:
        return image
    levels = np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(image + levels, 0, 255).astype(np.uint8)


def wander(animals: int, frames: int, seed: int, *, speed_px: float = 4.0, margin_px: float = 20.0) -> Floats:
    """Places of animals that turn at random and bounce off the walls, (frames, animals, 2)."""
    rng = np.random.default_rng(seed)
    far = np.array([SIZE_PX[1], SIZE_PX[0]]) - margin_px
    places = rng.uniform(margin_px, far, (animals, 2))
    headings = rng.uniform(-np.pi, np.pi, animals)
    truth = np.empty((frames, animals, 2))
    for number in range(frames):
        truth[number] = places
        headings += rng.normal(0, 0.15, animals)
        steps = speed_px * np.column_stack([np.cos(headings), np.sin(headings)])
        out = (places + steps < margin_px) | (places + steps > far)
        steps = np.where(out, -steps, steps)
        headings = np.arctan2(steps[:, 1], steps[:, 0])
        places = places + steps
    return truth


def rmse_px(run: list[Tracks], truth_px: Floats, *, owners: list[int] | None = None) -> float:
    """Root mean square distance of every animal to its track, matched by id in the first one with tracks."""
    first = next(number for number, tracks in enumerate(run) if len(tracks))
    if owners is None:
        distances = np.linalg.norm(truth_px[first][:, None] - run[first].centroids_px[None], axis=-1)
        owners = distances.argmin(axis=1).tolist()
    assert sorted(owners) == list(range(truth_px.shape[1])), "two animals share a track"
    errors = [
        tracks.centroids_px[owners] - places
        for tracks, places in zip(run[first:], truth_px[first:], strict=True)
    ]
    return float(np.sqrt((np.array(errors) ** 2).sum(-1).mean()))
