"""The ring of a camera node: buffers for its pictures, and what to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import DTypeLike, NDArray

from zbus.config import CameraPlan
from zbus.transport import Publisher, RingPlan
from zbus.wire import FRAME, Topic

RATE_SETTING = "AcquisitionFrameRate"


def ring_plan(plan: CameraPlan) -> RingPlan | None:
    """The ring that a camera's plan asks for; None where it wants none."""
    if not plan.ring_s or not plan.ring_max_bytes:
        return None
    return RingPlan(seconds=plan.ring_s, max_bytes=plan.ring_max_bytes)


class CameraRing:
    """What a camera node does with the ring of its publisher. `settings` are those of the camera in force."""

    def __init__(self, camera: str, publisher: Publisher, settings: Callable[[], Mapping[str, Any]]) -> None:
        self._topic = Topic(FRAME, camera)
        self._publisher, self._settings = publisher, settings

    def make_buffer(self, shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any] | None:
        """Memory for the next picture, in the ring; None where none is to be had. From any thread."""
        self.expect_rate()
        return self._publisher.loan(self._topic, shape, dtype)

    def expect_rate(self) -> None:
        """Tell a ring that is not there yet how many pictures a second will come."""
        outlet = self._publisher.ring_of(self._topic)
        if outlet is not None and not outlet.name:
            outlet.expect_rate(self._settings().get(RATE_SETTING, 0.0))

    @property
    def trouble(self) -> str:
        """Why there is no ring, where there should be one."""
        outlet = self._publisher.ring_of(self._topic)
        return f"pixels go out without shared memory: {outlet.trouble}" if outlet and outlet.trouble else ""

    def details(self) -> dict[str, Any]:
        """The ring for the node's state: its name and slots, or why there is none."""
        outlet = self._publisher.ring_of(self._topic)
        if outlet is None:
            return {"why": "ring_s is 0"}
        return {"name": outlet.name, "slots": outlet.slots} if outlet.name else {"why": outlet.why}
