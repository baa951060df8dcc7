from __future__ import annotations

import json
from typing import Any

import pytest

from zbus.cli import _top
from zbus.config import BrokerPlan
from zbus.transport import Reactor
from zbus.wire import State


def test_the_brokers_own_state_is_shown(run: Any, at: list[str]) -> None:
    output = run("top", *at, "--every", "0.2", "--seconds", "1.5").output
    assert "directory" in output
    assert "forwarded" in output
    told = json.loads(run("top", *at, "--every", "0.2", "--seconds", "1.5", "--json").output.splitlines()[-1])
    assert told["nodes"][0]["role"] == "broker"


def test_rates_are_by_the_second_and_losses_as_they_stand() -> None:
    def state(**counters: int) -> State:
        return State("camera", "running", 1, "h", 1, cause="x", counters=counters)

    before, now = state(published=10, dropped=0), state(published=40, dropped=2)
    row = _top._row("cam1", now, before, 2.0)
    assert (row["per_s"], row["losses"]) == ({"published": 15.0}, {"dropped": 2})
    assert _top._row("cam1", now, None, 2.0)["per_s"] == {}
    assert _top._row("cam1", before, now, 2.0)["per_s"] == {"published": 0.0}
    table = _top._table([{**row, "cause": "a\x1b[2J"}])
    assert "published 15" in table
    assert "\x1b" not in table


def test_when_nobody_is_heard_any_more_it_says_so(
    start_broker: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_top, "SILENT_AFTER_S", 0.5)
    broker = start_broker()
    with Reactor() as reactor:
        top = _top._Top(BrokerPlan(subscribe=broker.subscribe), 0.1, False, reactor)

        def end() -> None:
            if "nothing was heard for" in (told := capsys.readouterr().out):
                assert "directory" in told
                reactor.stop()
            elif top._states and broker.process.poll() is None:
                broker.kill()

        reactor.every(0.15, end)
        reactor.after(20.0, lambda: pytest.fail("it went on as if nothing had happened"))
        top.run(None)


@pytest.mark.parametrize("seconds", ["0.3", "9"])
def test_a_bus_where_nobody_tells_a_state_is_an_error(
    fail: Any, free_endpoint: Any, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setattr(_top, "FIRST_STATE_S", 0.5)
    told = fail("top", "--subscribe", free_endpoint(), "--seconds", seconds, ends_with=6)
    assert "no node has told its state" in told["cause"]
