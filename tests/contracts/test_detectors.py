"""Our detectors keep the contract of all detectors."""

import numpy as np

from zbus.plugins import load_plugin, plugin_names
from zbus.testing._detector_contract import check_detector, draw_animals
from zbus.tracking import AdaptiveDetector, BackgroundDetector

PICTURE = draw_animals([(60, 50), (150, 120), (240, 60)], [0.0, 0.7, 1.5])
FLOOR = draw_animals([])


def test_the_adaptive_detector():
    check_detector(AdaptiveDetector, PICTURE, animals=3)


def test_the_background_detector():
    def make():
        detector = BackgroundDetector()
        detector.learn([FLOOR])
        return detector

    check_detector(make, PICTURE, animals=3)


def test_every_registered_detector_is_made_from_its_own_settings():
    for name in plugin_names("zbus.detectors"):
        plugin = load_plugin("zbus.detectors", name)
        assert len(plugin(plugin.Settings()).detect(np.full((90, 120), 99, np.uint8))) == 0
