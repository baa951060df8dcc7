from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.transport import ClockReading, ClockStep, ClockWatch, Suspend, read_clocks
from zbus.transport._clock_watch import STEP_MIN_NS

S = 1_000_000_000
START = ClockReading(mono_ns=50 * S, utc_ns=1_700_000_000 * S, boot_ns=90 * S)

jumps_ns = st.integers(-(10**13), 10**13)


def later(reading: ClockReading, passed_ns: int, step_ns: int = 0, slept_ns: int = 0) -> ClockReading:
    return ClockReading(
        reading.mono_ns + passed_ns,
        reading.utc_ns + passed_ns + slept_ns + step_ns,
        reading.boot_ns + passed_ns + slept_ns,
    )


@given(st.lists(st.integers(0, 100 * S)))
def test_clocks_that_run_together_tell_nothing(waits_ns: list[int]):
    watch, now = ClockWatch(START), START
    for passed_ns in waits_ns:
        now = later(now, passed_ns)
        assert watch.observe(now) == []


@given(jumps_ns, st.integers(0, 10**13))
def test_a_step_and_a_sleep_are_told_apart(step_ns: int, slept_ns: int):
    watch, now = ClockWatch(START), later(START, S, step_ns, slept_ns)
    expected: list[ClockStep | Suspend] = []
    if slept_ns >= STEP_MIN_NS:
        expected.append(Suspend(slept_ns, now.mono_ns, now.utc_ns))
    if abs(step_ns) >= STEP_MIN_NS:
        expected.append(ClockStep(step_ns, now.mono_ns, now.utc_ns))
    assert watch.observe(now) == expected
    assert (watch.suspends, watch.steps) == (slept_ns >= STEP_MIN_NS, abs(step_ns) >= STEP_MIN_NS)
    assert watch.observe(now) == [] or len(expected) == 0


@pytest.mark.parametrize("step_ns", [3600 * S, -3600 * S, S // 2, -S // 2, STEP_MIN_NS, -STEP_MIN_NS])
def test_every_step_of_that_size_is_told_once(step_ns: int):
    watch, now = ClockWatch(START), START
    for _ in range(20):
        now = later(now, S, step_ns)
        assert [each.step_ns for each in watch.observe(now) if isinstance(each, ClockStep)] == [step_ns]
        now = later(now, S)
        assert watch.observe(now) == []
    assert watch.steps == 20


def test_small_steps_add_up_until_they_are_told():
    watch, now, told = ClockWatch(START), START, []
    for _ in range(12):
        now = later(now, S, STEP_MIN_NS // 4)
        told += watch.observe(now)
    assert [each.step_ns for each in told if isinstance(each, ClockStep)] == [STEP_MIN_NS] * 3


def test_it_reads_all_three_clocks():
    before = (time.monotonic_ns(), time.time_ns())
    reading = read_clocks()
    after = (time.monotonic_ns(), time.time_ns())
    assert before[0] <= reading.mono_ns <= after[0]
    assert before[1] <= reading.utc_ns <= after[1]
    assert reading.boot_ns + 1_000_000 >= reading.mono_ns


def test_without_a_clock_that_counts_sleep_the_monotonic_one_stands_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    reading = read_clocks()
    assert abs(reading.boot_ns - reading.mono_ns) < S
