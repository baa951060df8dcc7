from __future__ import annotations

import time

from zbus_brokers.relay._clocks import Clocks

MS = 1_000_000
AHEAD_NS = 10**15
WALL_AHEAD_NS = 5_000 * MS


def exchange(clocks: Clocks, there_ms: int = 2, back_ms: int = 2) -> None:
    """A ping to a host whose monotonic clock is AHEAD_NS ahead, and its wall clock WALL_AHEAD_NS."""
    received_ns = time.monotonic_ns()
    sent_ns = received_ns - (there_ms + back_ms) * MS
    answered_ns = sent_ns + there_ms * MS
    utc_ns = time.time_ns() - back_ms * MS + WALL_AHEAD_NS
    clocks.add(sent_ns, answered_ns + AHEAD_NS, utc_ns, received_ns)


def test_nothing_is_known_before_the_first_pong() -> None:
    clocks = Clocks()
    assert clocks.age_ns(0, time.monotonic_ns()) is None
    assert clocks.utc_offset_ns() is None
    assert clocks.describe() == {}


def test_an_age_is_told_by_their_clock_less_the_offset() -> None:
    clocks = Clocks()
    exchange(clocks, 1, 1)
    exchange(clocks, 50, 2)
    now_ns = time.monotonic_ns()
    age_ns = clocks.age_ns(now_ns + AHEAD_NS - 100 * MS, now_ns)
    assert age_ns is not None
    assert abs(age_ns - 100 * MS) < 5 * MS
    offset_ns = clocks.utc_offset_ns()
    assert offset_ns is not None
    assert abs(offset_ns - WALL_AHEAD_NS) < 20 * MS
    assert set(clocks.describe()) == {"offset_ns", "error_ns", "rtt_ns", "utc_offset_ns"}
    clocks.forget()
    assert clocks.estimate() is None
