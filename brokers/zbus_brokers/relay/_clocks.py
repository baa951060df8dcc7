"""How far another host's clocks are from ours, from the pings of its relay."""

from __future__ import annotations

import time
from typing import Any

from zbus.transport import ClockEstimate, ClockEstimator, Exchange


class Clocks:
    """The other host's clocks as they are known now. Nothing is ever corrected by them in silence."""

    def __init__(self) -> None:
        self._estimator = ClockEstimator()

    def add(self, sent_ns: int, mono_ns: int, utc_ns: int, received_ns: int) -> None:
        """Take in one ping and its pong."""
        self._estimator.add(Exchange(sent_ns, mono_ns, received_ns, utc_ns))

    def forget(self) -> None:
        """That host, or its relay, has started anew."""
        self._estimator = ClockEstimator()

    def estimate(self) -> ClockEstimate | None:
        """What is known now."""
        return self._estimator.estimate(time.monotonic_ns())

    def age_ns(self, began_ns: int, now_ns: int) -> int | None:
        """How long ago that was, `began_ns` being their monotonic clock; None where nothing is known."""
        estimate = self._estimator.estimate(now_ns)
        return None if estimate is None else now_ns - estimate.to_local_ns(began_ns)

    def utc_offset_ns(self) -> int | None:
        """Their wall clock less ours."""
        estimate = self.estimate()
        if estimate is None or estimate.remote_utc_less_mono_ns is None:
            return None
        ours_ns = time.time_ns() - time.monotonic_ns()
        return estimate.remote_utc_less_mono_ns + estimate.offset_ns - ours_ns

    def describe(self) -> dict[str, Any]:
        """For the relay's state: `offset_ns`, `error_ns`, `rtt_ns`, and `utc_offset_ns` where it is known."""
        estimate = self.estimate()
        if estimate is None:
            return {}
        utc_ns = self.utc_offset_ns()
        return estimate.to_map() | ({} if utc_ns is None else {"utc_offset_ns": utc_ns})
