"""Where the animals are, and who is who: detectors, and trackers of a known number of animals.

Arrays in, arrays out. Nothing here knows a topic, a socket or a clock.
"""

from zbus.tracking._adaptive import AdaptiveDetector, AdaptiveSettings
from zbus.tracking._background import BackgroundDetector, BackgroundSettings, median_picture
from zbus.tracking._blob_tracker import BlobTracker, BlobTrackerSettings
from zbus.tracking._fixed_count import FixedCountSettings, FixedCountTracker
from zbus.tracking._suggest import suggest_detector
from zbus.tracking._tracking import Associator, Detections, Detector, Tracker

__all__ = [
    "AdaptiveDetector",
    "AdaptiveSettings",
    "Associator",
    "BackgroundDetector",
    "BackgroundSettings",
    "BlobTracker",
    "BlobTrackerSettings",
    "Detections",
    "Detector",
    "FixedCountSettings",
    "FixedCountTracker",
    "Tracker",
    "median_picture",
    "suggest_detector",
]
