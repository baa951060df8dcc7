import json

import cv2
import numpy as np
import pytest

from zbus.errors import TrackingError
from zbus.testing._detector_contract import draw_animals
from zbus.tracking import BlobTracker, BlobTrackerSettings, median_picture, suggest_detector

from .films import SIZE_PX, add_noise, film, wander

FRAMES = 120


def follow(images, animals, tmp_path):
    """Track `images` with what is suggested for every fourth of them."""
    name, values = suggest_detector(images[::4], animals)
    assert json.loads(json.dumps(values)) == values, "settings must be plain values"
    if name == "background":
        path = tmp_path / "background.png"
        cv2.imwrite(str(path), median_picture(images[::4]))
        values["background_path"] = str(path)
    settings = BlobTrackerSettings(animals=animals, detector=name, detector_settings=values)
    tracker = BlobTracker(settings)
    return [tracker.update(image) for image in images]


def nearest_errors(truth, run):
    """How far from each animal the nearest track is, px, (frames, animals)."""
    pairs = zip(truth, run, strict=True)
    return np.array([np.linalg.norm(t[:, None] - r.centroids_px, axis=-1).min(axis=1) for t, r in pairs])


def light_floor():
    return np.full(SIZE_PX, 180, np.uint8)


def dark_patterned_floor():
    floor = np.full(SIZE_PX, 20, np.uint8)
    floor[::12, ::12] = 60
    return floor


def dish():
    """A light dish in a dark surround, lit unevenly."""
    y, x = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    inside = (x - 160) ** 2 + (y - 120) ** 2 < 115**2
    return np.where(inside, 150 + x // 8, 35).astype(np.uint8)


@pytest.mark.parametrize(
    ("floor", "grays"),
    [(light_floor(), 60), (dark_patterned_floor(), 200), (dish(), 40)],
    ids=["light", "dark", "dish"],
)
@pytest.mark.parametrize("animals", [1, 4])
def test_what_is_suggested_tracks(floor, grays, animals, tmp_path):
    truth = wander(animals, FRAMES, seed=animals, margin_px=70.0)
    run = follow(film(truth, floor=floor, grays=grays, noise=4), animals, tmp_path)
    assert len(run[0]) == animals
    errors = nearest_errors(truth, run)
    assert np.median(errors) < 1
    assert (errors < 8).mean() > 0.97


def test_debris_is_left_out(tmp_path):
    rng = np.random.default_rng(5)
    debris = draw_animals(rng.uniform(10, 230, (25, 2)), size_px=SIZE_PX, body_px=(6, 5))
    truth = wander(3, FRAMES, seed=8, margin_px=60.0)
    run = follow(film(truth, floor=debris, noise=5), 3, tmp_path)
    assert (nearest_errors(truth, run) < 8).mean() > 0.97


def test_animals_that_stay_where_they_are_are_found_by_local_contrast():
    images = [add_noise(draw_animals([(60, 60), (200, 150)], 0.4), 3, k) for k in range(12)]
    name, values = suggest_detector(images, 2)
    assert name == "adaptive"
    tracks = BlobTracker(BlobTrackerSettings(animals=2, detector=name, detector_settings=values)).update(
        images[0]
    )
    assert len(tracks) == 2


def test_too_little_to_choose_by_is_refused():
    with pytest.raises(TrackingError, match="too few"):
        suggest_detector([np.zeros((20, 20), np.uint8)] * 2, 1)
    with pytest.raises(ValueError, match=r"^animals "):
        suggest_detector([np.zeros((20, 20), np.uint8)] * 5, 0)


def test_pictures_without_animals_still_give_settings():
    name, values = suggest_detector([np.full((90, 120), 80, np.uint8)] * 5, 2)
    settings = BlobTrackerSettings(animals=2, detector=name, detector_settings=values)
    assert len(BlobTracker(settings).update(np.full((90, 120), 80, np.uint8))) == 0
