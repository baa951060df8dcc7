"""How far another host's clock is from this one: what many exchanges of times leave possible."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Some 16 s of a link that is asked each 250 ms.
WINDOW_EXCHANGES = 64
WINDOW_NS = 30_000_000_000
# Why so much: a quartz is off by up to 50 parts in a million, in either direction, and here are two of them.
DRIFT_PPM = 100


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer: two readings of our monotonic clock, and theirs in between.

    `remote_utc_ns` is their wall clock, read together with `remote_ns`, where they told it.
    """

    sent_ns: int
    remote_ns: int
    received_ns: int
    remote_utc_ns: int | None = None

    @property
    def rtt_ns(self) -> int:
        """The round trip."""
        return self.received_ns - self.sent_ns


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """Their monotonic clock is ours plus `offset_ns`, and certainly no more than `error_ns` away from that.

    `rtt_ns` is the smallest round trip of the `exchanges` it was taken from.
    `remote_utc_less_mono_ns` is their wall clock less their monotonic one, where they told both.
    """

    offset_ns: int
    error_ns: int
    rtt_ns: int
    exchanges: int
    remote_utc_less_mono_ns: int | None = None

    def to_map(self, utc_less_mono_ns: int | None = None) -> dict[str, int]:
        """As it stands in a state's details (spec 6).

        `utc_less_mono_ns` is our wall clock less our monotonic one: with it, and where they told theirs, it
        says in `utc_offset_ns` how far their wall clock is ahead of ours.
        """
        told = {"offset_ns": self.offset_ns, "error_ns": self.error_ns, "rtt_ns": self.rtt_ns}
        if utc_less_mono_ns is not None and self.remote_utc_less_mono_ns is not None:
            told["utc_offset_ns"] = self.offset_ns + self.remote_utc_less_mono_ns - utc_less_mono_ns
        return told

    def to_local_ns(self, remote_ns: int) -> int:
        """A reading of their monotonic clock, as ours would have shown it."""
        return remote_ns - self.offset_ns


class ClockEstimator:
    """Keeps the last exchanges with one host and says what they tell. No I/O; every time is handed in.

    Their clock was read between a question and its answer, so each exchange bounds the offset from below and
    from above, whichever way took longer; the estimate is the middle of what all of them allow, which is
    never further off than half the smallest round trip. A bound loosens by DRIFT_PPM of its age, and is
    forgotten past the window. `jumps` counts exchanges that contradict what was known, after which all older
    ones are forgotten: that clock started anew, or its host slept. `refused` counts those that are none.

    The offset is never applied to anything here: who measures, stores it beside the data, as
    LabStreamingLayer does.
    """

    def __init__(self, window: int = WINDOW_EXCHANGES, window_ns: int = WINDOW_NS) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=window)
        self._window_ns = window_ns
        self.jumps = 0
        self.refused = 0

    def add(self, exchange: Exchange) -> bool:
        """Take in an exchange. False where it ends before it began, or before the last one; it is counted."""
        known = self._exchanges
        if exchange.rtt_ns < 0 or (known and exchange.received_ns < known[-1].received_ns):
            self.refused += 1
            return False
        known.append(exchange)
        low_ns, high_ns = self._bounds(exchange.received_ns)
        if low_ns > high_ns:
            self.jumps += 1
            known.clear()
            known.append(exchange)
        return True

    def estimate(self, now_ns: int) -> ClockEstimate | None:
        """What is known at `now_ns` of our monotonic clock; None where nothing is, or it is too old."""
        known = self._exchanges
        while known and now_ns - known[0].received_ns > self._window_ns:
            known.popleft()
        if not known:
            return None
        low_ns, high_ns = self._bounds(now_ns)
        return ClockEstimate(
            offset_ns=(low_ns + high_ns) // 2,
            error_ns=(high_ns - low_ns + 1) // 2,
            rtt_ns=min(exchange.rtt_ns for exchange in known),
            exchanges=len(known),
            remote_utc_less_mono_ns=self._utc_less_mono_ns(),
        )

    def _bounds(self, now_ns: int) -> tuple[int, int]:
        """The least and the greatest offset that every exchange allows."""
        loose = [(exchange, _drift_ns(exchange, now_ns)) for exchange in self._exchanges]
        low_ns = max(exchange.remote_ns - exchange.received_ns - drift_ns for exchange, drift_ns in loose)
        high_ns = min(exchange.remote_ns - exchange.sent_ns + drift_ns for exchange, drift_ns in loose)
        return low_ns, high_ns

    def _utc_less_mono_ns(self) -> int | None:
        # Why the newest and not the best: their wall clock may be set at any moment.
        newest = self._exchanges[-1]
        return None if newest.remote_utc_ns is None else newest.remote_utc_ns - newest.remote_ns


def _drift_ns(exchange: Exchange, now_ns: int) -> int:
    """How far the two clocks may have drifted apart since the exchange began, rounded up."""
    return max(0, now_ns - exchange.sent_ns) * DRIFT_PPM // 1_000_000 + 1
