import pytest

from zbus.compat.pymultivideo._rate import BEATS_MAX, RateMeter

NS_PER_S = 1_000_000_000


def test_the_rate_is_that_of_the_last_two_seconds() -> None:
    meter = RateMeter()
    for beat in range(50):
        meter.beat(beat * NS_PER_S // 10)
    assert meter.rate_hz(49 * NS_PER_S // 10) == pytest.approx(10.0)


def test_a_fast_beat_is_measured_over_what_is_remembered() -> None:
    meter = RateMeter()
    for beat in range(10 * BEATS_MAX):
        meter.beat(beat * NS_PER_S // 1000)
    assert meter.rate_hz(10 * BEATS_MAX * NS_PER_S // 1000) == pytest.approx(1000.0)


def test_silence_has_no_rate() -> None:
    meter = RateMeter()
    assert meter.rate_hz(0) == 0.0
    meter.beat(5)
    meter.beat(5)
    assert meter.rate_hz(6) == 0.0
    meter.beat(6)
    assert meter.rate_hz(3 * NS_PER_S) == 0.0
