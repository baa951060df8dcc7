import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras._pace import NS_PER_S, Pace, read_clocks


@given(st.floats(0.1, 1000.0), st.integers(0, 10**6))
def test_deadlines_do_not_pile_up_rounding(rate_hz: float, tick: int) -> None:
    pace = Pace(rate_hz)
    pace.start()
    exact_ns = pace.due_ns(0) + tick * NS_PER_S / rate_hz
    assert abs(pace.due_ns(tick) - exact_ns) <= 1 + exact_ns * 1e-15


def test_wait_returns_when_the_tick_is_due() -> None:
    pace = Pace(100.0)
    pace.start()
    assert pace.wait(3, timeout_s=5.0)
    assert time.monotonic_ns() >= pace.due_ns(3)
    assert pace.newest() >= 3
    assert pace.late_s(3) >= 0.0


def test_wait_gives_up_after_its_timeout() -> None:
    pace = Pace(0.1)
    pace.start()
    assert not pace.wait(1, timeout_s=0.01)
    assert pace.newest() == 0
    assert pace.late_s(1) < 0.0


def test_a_new_rate_holds_from_its_tick_on() -> None:
    pace = Pace(10.0)
    pace.start(tick=5)
    due_ns = pace.due_ns(7)
    pace.set_rate(50.0, tick=7)
    assert pace.due_ns(7) == due_ns
    assert pace.due_ns(8) - due_ns == NS_PER_S // 50


def test_the_two_clocks_are_read_together() -> None:
    captured_ns, mono_ns = read_clocks()
    assert captured_ns - mono_ns == pytest.approx(time.time_ns() - time.monotonic_ns(), abs=NS_PER_S)
