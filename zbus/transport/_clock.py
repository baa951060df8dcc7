"""How far another host's clock is from this one: the smallest round trip of many exchanges tells best."""

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

    @property
    def offset_ns(self) -> int:
        """Their clock less ours, if both ways took the same time."""
        return self.remote_ns - (self.sent_ns + self.received_ns) // 2


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """Their monotonic clock is ours plus `offset_ns`, and certainly no more than `error_ns` away from that.

    `rtt_ns` is the round trip it was taken from, `exchanges` of how many it was the best.
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

    The offset is never applied to anything here: who measures, stores it beside the data (LabStreamingLayer
    does the same). An exchange is worth half its round trip, which holds whichever way took longer, and less
    by DRIFT_PPM of its age; those past the window are forgotten. `jumps` counts exchanges that contradict
    what was known, after which all older ones are forgotten: that clock started anew, or its host slept.
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
        if any(_contradict(old, exchange) for old in known):
            self.jumps += 1
            known.clear()
        known.append(exchange)
        return True

    def estimate(self, now_ns: int) -> ClockEstimate | None:
        """What is known at `now_ns` of our monotonic clock; None where nothing is, or it is too old."""
        while self._exchanges and now_ns - self._exchanges[0].received_ns > self._window_ns:
            self._exchanges.popleft()
        if not self._exchanges:
            return None
        best = min(self._exchanges, key=lambda exchange: _error_ns(exchange, now_ns))
        utc_ns = best.remote_utc_ns
        return ClockEstimate(
            offset_ns=best.offset_ns,
            error_ns=_error_ns(best, now_ns),
            rtt_ns=best.rtt_ns,
            exchanges=len(self._exchanges),
            remote_utc_less_mono_ns=None if utc_ns is None else utc_ns - best.remote_ns,
        )


def _error_ns(exchange: Exchange, now_ns: int) -> int:
    """Half the round trip and what the clocks may have drifted apart since it began, rounded up."""
    age_ns = max(0, now_ns - exchange.sent_ns)
    return exchange.rtt_ns // 2 + age_ns * DRIFT_PPM // 1_000_000 + 1


def _contradict(old: Exchange, new: Exchange) -> bool:
    """True where no offset, drifting as clocks do, fits both."""
    apart_ns = abs(new.offset_ns - old.offset_ns)
    return apart_ns > _error_ns(old, new.received_ns) + _error_ns(new, new.received_ns)
