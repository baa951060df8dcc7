"""Pictures in, tracks out: a detector and the fixed-count tracker, composed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from numpy.typing import NDArray

from zbus.config import read_settings
from zbus.plugins import load_plugin
from zbus.tracking._fixed_count import FixedCountSettings, FixedCountTracker
from zbus.tracking._tracking import Detector
from zbus.wire import Tracks


@dataclass(frozen=True, slots=True)
class BlobTrackerSettings:
    """`animals` is their number, `detector` the plug-in that finds blobs, `detector_settings` its settings.

    `max_step_px` and `start_frames` are those of FixedCountSettings; the defaults learn from the pictures.
    """

    animals: int = 1
    detector: str = "adaptive"
    detector_settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    max_step_px: float = 0.0
    start_frames: int = 10

    def __post_init__(self) -> None:
        self.fixed_count()
        if not self.detector:
            raise ValueError("detector must be the name of a plug-in")

    def fixed_count(self) -> FixedCountSettings:
        """The part that the identities need. Raises ValueError starting with the wrong field's name."""
        return FixedCountSettings(self.animals, self.max_step_px, self.start_frames)


class BlobTracker:
    """Follows a fixed number of animals that stand out from the floor.

    `BlobTracker(animals=5)` is enough; `detector` replaces the detector that the settings name. Raises
    UnknownName for a detector that nobody registered and ConfigError for settings it does not have.
    """

    Settings: ClassVar[type] = BlobTrackerSettings

    def __init__(
        self,
        settings: BlobTrackerSettings | None = None,
        *,
        animals: int | None = None,
        detector: Detector | None = None,
    ) -> None:
        settings = settings or BlobTrackerSettings(animals=1 if animals is None else animals)
        if animals is not None and animals != settings.animals:
            raise ValueError("animals must not differ from settings.animals: give it once")
        self._detector = detector or make_detector(settings.detector, settings.detector_settings)
        self._associator = FixedCountTracker(settings.fixed_count())

    def update(self, image: NDArray[Any], t_ns: int | None = None) -> Tracks:
        """Track the next picture, uint8 mono or BGR, only read; `t_ns` is its time on any steady clock.

        No rows until all animals were found once, then always one row per animal, ids 1..n.
        """
        return self._associator.update(self._detector.detect(image), t_ns)

    def reset(self) -> None:
        """Forget every identity and what the detector learned."""
        self._associator.reset()
        self._detector.reset()


def make_detector(name: str, settings: Mapping[str, Any]) -> Detector:
    """The detector plug-in `name` with `settings` as plain values, as a rig file holds them."""
    plugin = load_plugin("zbus.detectors", name)
    detector: Detector = plugin(read_settings(plugin.Settings, settings, prefix="detector_settings."))
    return detector
