from __future__ import annotations

from zbus_brokers.relay._thinning import Thinning

MS = 1_000_000


def test_without_a_rate_all_pass() -> None:
    thinning = Thinning(0)
    assert [thinning.pass_on("a", 0) for _ in range(3)] == [0, 0, 0]


def test_of_thirty_a_second_ten_pass_and_each_tells_what_was_before_it() -> None:
    thinning = Thinning(10)
    told = [thinning.pass_on("a", round(number * 1e9 / 30)) for number in range(300)]
    passed = [left_out for left_out in told if left_out is not None]
    assert len(passed) == 100
    assert sum(passed) + len(passed) == 300 - 2
    assert set(passed[1:]) == {2}


def test_topics_have_a_pace_of_their_own_and_a_pause_makes_no_burst() -> None:
    thinning = Thinning(10)
    assert thinning.pass_on("a", 0) == 0
    assert thinning.pass_on("b", MS) == 0
    assert thinning.pass_on("a", 10_000 * MS) == 0
    burst = [thinning.pass_on("a", (10_000 + late) * MS) for late in range(1, 100)]
    assert sum(told is not None for told in burst) <= 2
    thinning.forget("a")
    assert thinning.pass_on("a", 10_101 * MS) == 0
