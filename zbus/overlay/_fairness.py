"""What is taken of a flood, at a door that cannot see who sends."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from zbus.overlay._shelf import Shelf
from zbus.wire import CLEAR, Overlay

OVERLAYS_PER_TURN_MAX = 1_024
SENDERS_MAX = 1_024
SENDER_RATE_HZ = 1_000.0
SENDER_BURST = 1_000.0

_NS_PER_S = 1_000_000_000


def sender_of(overlay: Overlay, sender: str = "") -> str:
    """What tells senders apart: the name the door knows, else the shape's id, else its camera."""
    if sender:
        return f"sender {sender}"
    return f"id {overlay.id}" if overlay.id else f"camera {overlay.camera}"


class Intake:
    """Holds the newest overlay of each id between two turns of a loop, within a budget and a rate a sender.

    `offer` what arrived until the intake is `full`, then `take` what is left of it.
    One thread uses an intake.
    """

    def __init__(
        self,
        budget: int = OVERLAYS_PER_TURN_MAX,
        rate_hz: float = SENDER_RATE_HZ,
        burst: float = SENDER_BURST,
    ) -> None:
        self._budget = budget
        self._rate_hz, self._burst = rate_hz, burst
        self._pending: Shelf[tuple[object, ...], tuple[Overlay, str]] = Shelf(budget, budget)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._offered = 0
        self._counts = {"superseded": 0, "too_fast": 0, "over_budget": 0}

    @property
    def full(self) -> bool:
        """True where this turn's budget is spent: stop reading, take, and come back later."""
        return self._offered >= self._budget

    @property
    def counters(self) -> dict[str, int]:
        """Overlays left out since the start: superseded by a newer one, too_fast, over_budget."""
        return dict(self._counts)

    def offer(self, overlay: Overlay, now_ns: int, sender: str = "") -> bool:
        """Hold an overlay until the next `take`; False where its sender is too fast."""
        self._offered += 1
        owner = sender_of(overlay, sender)
        if not self._bucket(owner, now_ns).spend(now_ns, self._rate_hz, self._burst):
            self._counts["too_fast"] += 1
            return False
        key = self._key(overlay)
        self._counts["superseded"] += key in self._pending
        self._counts["over_budget"] += self._pending.put(key, (overlay, sender), owner)
        return True

    def take(self) -> list[tuple[Overlay, str]]:
        """The overlays held and their senders, in the order of their last arrival; begins the next turn."""
        taken = [item for _, item in self._pending]
        self._pending.clear()
        self._offered = 0
        return taken

    def _key(self, overlay: Overlay) -> tuple[object, ...]:
        if overlay.verb == CLEAR:
            return (CLEAR, overlay.camera, overlay.id)
        return ("", overlay.camera, overlay.id) if overlay.id else (self._offered,)

    def _bucket(self, owner: str, now_ns: int) -> _Bucket:
        bucket = self._buckets.pop(owner, None) or _Bucket(self._burst, now_ns)
        self._buckets[owner] = bucket
        if len(self._buckets) > SENDERS_MAX:
            self._buckets.popitem(last=False)
        return bucket


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_ns: int

    def spend(self, now_ns: int, rate_hz: float, burst: float) -> bool:
        waited_s = max(0, now_ns - self.filled_ns) / _NS_PER_S
        self.tokens = min(burst, self.tokens + waited_s * rate_hz)
        self.filled_ns = now_ns
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
