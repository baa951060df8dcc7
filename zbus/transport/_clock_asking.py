"""Asks a directory what time it is there, several times, to know how far its host's clock is from ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from zbus.errors import WireError
from zbus.transport._clock import ClockEstimate, ClockEstimator, Exchange
from zbus.transport._requester import Requester

CLOCK_EXCHANGES = 8
CLOCK_TIMEOUT_S = 2.0


def measure_clock(
    requester: Requester, exchanges: int = CLOCK_EXCHANGES, timeout_s: float = CLOCK_TIMEOUT_S
) -> ClockEstimate:
    """How far the clock of the directory's host is from ours. Blocks, for `timeout_s` an exchange at most.

    Raises RequestTimeout, RequestRefused by a directory that does not know the verb, WireError where it
    answers with what is no time.
    """
    if exchanges < 1:
        raise ValueError("at least one exchange is needed to know a clock")
    estimator = ClockEstimator(window=exchanges)
    for _ in range(exchanges):
        estimator.add(_exchange(requester, timeout_s))
    estimate = estimator.estimate(time.monotonic_ns())
    assert estimate is not None
    return estimate


def _exchange(requester: Requester, timeout_s: float) -> Exchange:
    sent_ns = time.monotonic_ns()
    answer = requester.request("clock", timeout_s=timeout_s)
    received_ns = time.monotonic_ns()
    return Exchange(sent_ns, _time(answer, "mono_ns"), received_ns, _time(answer, "utc_ns"))


def _time(answer: Mapping[str, Any], key: str) -> int:
    value = answer.get(key)
    if type(value) is not int:
        raise WireError("wrong_type", f"the directory's {key} is {value!r}, not a time")
    return value
