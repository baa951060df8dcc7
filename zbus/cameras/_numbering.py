"""Frame numbers of one camera over its whole life: the gaps counted, and a restarted counter carried on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zbus.cameras._camera import Capture


class Numbering:
    """Sees every capture in turn. `camera_lost_frames` is the sum of the gaps so far."""

    def __init__(self) -> None:
        self.camera_lost_frames = 0
        self._last: int | None = None
        self._shift = 0

    def carry_on(self, capture: Capture) -> Capture:
        """Return `capture`, with a higher number where the camera's counter has gone back.

        Why: a device that was unplugged counts from 0 again, and whoever records needs numbers that rise.
        How many frames were lost meanwhile nobody knows, so that is counted as no gap.
        """
        last, number = self._last, capture.frame_number + self._shift
        if last is not None and number <= last:
            self._shift += last + 1 - number
            number = last + 1
        elif last is not None:
            self.camera_lost_frames += number - last - 1
        self._last = number
        return _renumber(capture, self._shift) if self._shift else capture


def _renumber(capture: Capture, shift: int) -> Capture:
    events = tuple(_shift_event(event, shift) for event in capture.events)
    return replace(capture, frame_number=capture.frame_number + shift, events=events)


def _shift_event(event: Mapping[str, Any], shift: int) -> Mapping[str, Any]:
    number = event.get("frame_number")
    return {**event, "frame_number": number + shift} if isinstance(number, int) else event
