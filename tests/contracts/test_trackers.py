"""Our trackers keep the contract of all trackers."""

import numpy as np

from zbus.plugins import load_plugin, plugin_names
from zbus.testing._detector_contract import draw_animals
from zbus.testing._tracker_contract import check_tracker
from zbus.tracking import BlobTracker, BlobTrackerSettings

FRAMES = 40


def film() -> tuple[list[np.ndarray], np.ndarray]:
    """Three animals on straight ways, and where they are."""
    starts, steps = np.array([(40, 40), (60, 160), (260, 100)]), np.array([(5, 1), (4, -1), (-5, 1.5)])
    truth = starts + np.arange(FRAMES)[:, None, None] * steps
    angles = np.arctan2(steps[:, 1], steps[:, 0])
    return [draw_animals(places, angles, grays=(40, 60, 80)) for places in truth], truth.astype(float)


def test_the_blob_tracker_with_local_contrast():
    images, truth = film()
    check_tracker(lambda: BlobTracker(animals=3), images, truth_px=truth)


def test_the_blob_tracker_with_a_background_learned_live():
    images, _ = film()
    settings = BlobTrackerSettings(
        animals=3, detector="background", detector_settings={"learn_samples": 7, "learn_every": 2}
    )
    check_tracker(lambda: BlobTracker(settings), images)


def test_every_registered_tracker_is_made_from_its_own_settings():
    for name in plugin_names("zbus.trackers"):
        plugin = load_plugin("zbus.trackers", name)
        plugin(plugin.Settings()).update(np.full((90, 120), 99, np.uint8))
