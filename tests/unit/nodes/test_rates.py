from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zbus.nodes._rates import RATE_SAMPLE_NS, RATE_WINDOW_NS, Rates

S = 1_000_000_000


def test_nothing_is_known_at_first():
    assert Rates().observe({"frame/cam1/": 5}, 0) == {}


def test_a_steady_topic_has_its_rate_and_one_that_is_silent_has_none():
    rates, told = Rates(), {}
    for half in range(8):
        told = rates.observe({"frame/cam1/": 15 * half, "frame.jpeg/cam1/": 7}, half * S // 2)
    assert told == {"frame/cam1/": 30.0, "frame.jpeg/cam1/": 0.0}


def test_a_topic_that_comes_later_counts_from_then_on():
    rates = Rates()
    rates.observe({}, 0)
    assert rates.observe({"overlay/cam1/": 1_000}, S) == {}
    assert rates.observe({"overlay/cam1/": 1_004}, 2 * S) == {"overlay/cam1/": 4.0}


def test_what_was_before_the_window_is_forgotten():
    rates, told = Rates(), {}
    for second in range(20):
        told = rates.observe({"tracks/t1/": 100 * min(second, 10)}, second * S)
    assert told == {"tracks/t1/": 0.0}


def test_however_often_it_is_asked_little_is_kept():
    rates = Rates()
    for step in range(5_000):
        rates.observe({"state/n1/": step}, step * S // 100)
    assert len(rates._samples) <= RATE_WINDOW_NS // RATE_SAMPLE_NS + 1


@given(st.lists(st.tuples(st.integers(0, 3 * S), st.integers(0, 1_000)), max_size=40))
def test_a_rate_is_never_below_zero_nor_above_what_was_offered(steps: list[tuple[int, int]]):
    rates, now_ns, count = Rates(), 0, 0
    for passed_ns, more in steps:
        now_ns, count = now_ns + passed_ns, count + more
        for rate in rates.observe({"tracks/t1/": count}, now_ns).values():
            assert 0 <= rate <= count * 1e9 / RATE_SAMPLE_NS + 0.01
