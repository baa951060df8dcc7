from __future__ import annotations

import time

import pytest

from zbus.errors import WireError
from zbus.transport import Requester, measure_clock
from zbus.transport import _clock_asking as clock_asking

MEASUREMENTS = 200


def test_the_directory_of_this_host_has_this_hosts_clock(broker, capsys):
    """The true offset is 0. How near to it the estimates come is printed, not asserted."""
    errors_us, bounds_us = [], []
    with Requester(broker.directory) as requester:
        for _ in range(MEASUREMENTS):
            estimate = measure_clock(requester)
            assert abs(estimate.offset_ns) <= estimate.error_ns
            assert estimate.exchanges == clock_asking.CLOCK_EXCHANGES
            errors_us.append(abs(estimate.offset_ns) / 1e3)
            bounds_us.append(estimate.error_ns / 1e3)
    with capsys.disabled():
        print(
            f"\n  clock offset, loopback, 8 exchanges, {MEASUREMENTS} times: {describe(errors_us, bounds_us)}"
        )


def describe(errors_us, bounds_us):
    p50, p99, most = (sorted(errors_us)[at] for at in (MEASUREMENTS // 2, MEASUREMENTS * 99 // 100 - 1, -1))
    bound = sorted(bounds_us)[MEASUREMENTS * 99 // 100 - 1]
    return f"error p50 {p50:.1f} us, p99 {p99:.1f} us, max {most:.1f} us; bound p99 {bound:.1f} us"


def test_the_wall_clock_of_the_host_is_told_too(broker):
    with Requester(broker.directory) as requester:
        estimate = measure_clock(requester, exchanges=1)
    assert estimate.remote_utc_less_mono_ns is not None
    here_ns = time.time_ns() - time.monotonic_ns()
    assert abs(estimate.remote_utc_less_mono_ns - here_ns) < 1_000_000_000


class Liar:
    """A directory that tells no time."""

    def request(self, verb, timeout_s):
        return {"mono_ns": "noon", "utc_ns": 0}


def test_what_is_no_time_is_refused():
    with pytest.raises(WireError, match="mono_ns"):
        measure_clock(Liar())  # pyright: ignore


def test_a_clock_is_not_known_without_asking():
    with pytest.raises(ValueError, match="at least one"):
        measure_clock(Liar(), exchanges=0)  # pyright: ignore
