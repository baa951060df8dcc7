import numpy as np
import pytest

from zbus.config import read_settings
from zbus.errors import ConfigError, UnknownName
from zbus.testing._tracker_contract import check_identities
from zbus.tracking import AdaptiveDetector, BackgroundDetector, BlobTracker, BlobTrackerSettings

from .films import film, rmse_px, straight

TRUTH = straight([(30, 40), (290, 200)], [(5, 2), (-5, -2)], 45)


def test_a_number_of_animals_is_enough():
    tracker = BlobTracker(animals=2)
    run = [tracker.update(image) for image in film(TRUTH, noise=4)]
    check_identities(run, TRUTH, 6)
    assert rmse_px(run, TRUTH) < 1


def test_settings_are_plain_values():
    values = {"animals": 2, "detector": "adaptive", "detector_settings": {"block_size": 61, "offset": 20}}
    tracker = BlobTracker(read_settings(BlobTrackerSettings, values))
    run = [tracker.update(image, k * 10_000_000) for k, image in enumerate(film(TRUTH))]
    assert rmse_px(run, TRUTH) < 1


def test_a_detector_of_ones_own_will_do():
    detector = BackgroundDetector()
    detector.learn([np.full((240, 320), 180, np.uint8)])
    tracker = BlobTracker(animals=2, detector=detector)
    run = [tracker.update(image) for image in film(TRUTH)]
    assert rmse_px(run, TRUTH) < 1


def test_a_reset_goes_to_the_detector_too():
    class Watched(AdaptiveDetector):
        resets = 0

        def reset(self):
            self.resets += 1

    detector = Watched()
    tracker = BlobTracker(animals=2, detector=detector)
    tracker.update(film(TRUTH)[0])
    tracker.reset()
    assert detector.resets == 1
    assert tracker.update(film(TRUTH)[-1]).states == ("tentative",) * 2


def test_what_is_wrong_is_named():
    with pytest.raises(UnknownName, match="sonar"):
        BlobTracker(BlobTrackerSettings(detector="sonar"))
    with pytest.raises(ConfigError, match=r"detector_settings.block"):
        BlobTracker(BlobTrackerSettings(detector_settings={"block": 3}))
    with pytest.raises(ValueError, match=r"^animals "):
        BlobTrackerSettings(animals=0)
    with pytest.raises(ValueError, match=r"^animals "):
        BlobTracker(BlobTrackerSettings(animals=2), animals=3)
    with pytest.raises(ValueError, match=r"^detector "):
        BlobTrackerSettings(detector="")
