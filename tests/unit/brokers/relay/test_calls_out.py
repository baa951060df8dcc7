from __future__ import annotations

from zbus_brokers.relay._calls_out import CallsOut


def nothing(parts: object) -> None:
    """Nobody waits."""


def test_a_call_is_answered_once_and_by_its_route_only() -> None:
    calls = CallsOut()
    route = calls.open([b"a"], nothing)
    assert calls.close("other") is None
    assert calls.close(route) is nothing
    assert calls.close(route) is None


def test_all_are_lost_with_the_host_and_the_oldest_beyond_the_bound() -> None:
    calls = CallsOut(calls_max=2)
    first, *_ = [calls.open([b"%d" % number], nothing) for number in range(3)]
    assert calls.close(first) is None
    assert calls.lose() == [([b"1"], nothing), ([b"2"], nothing)]
    assert calls.lose() == []
