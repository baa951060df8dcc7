from __future__ import annotations

import time
from typing import Any

import pytest

from zbus.errors import RequestRefused
from zbus.nodes import Presence, Report
from zbus.nodes._presence import ANNOUNCED_MAX
from zbus.transport import Reactor, Requester
from zbus.wire import DEGRADED, EVENT, RUNNING, Topic


def present(plan: Any, report: Any = Report, **options: Any) -> Any:
    """A node that does nothing but be there; `options` are those of Presence."""

    def run(reactor: Reactor) -> None:
        with Presence("n1", "camera", plan, reactor, report, **options) as presence:
            presence.enter(RUNNING)
            reactor.run()

    return run


def ask(plan: Any, verb: str, **options: Any) -> Any:
    with Requester(plan.directory) as requester:
        return requester.request(verb, timeout_s=20, **options)


def nodes_of(plan: Any) -> list[Any]:
    return ask(plan, "nodes")["nodes"]


def test_it_announces_itself_tells_its_state_and_leaves(plan: Any, start: Any, listener: Any) -> None:
    report = Report(["frame/n1/"], ["ipc:///x"], {"grabbed": 3}, {"Gain": 1.0}, {"camera": "n1"})
    node = start(present(plan, lambda: report))
    listener.until(lambda: listener.state_of("n1") == "running")
    state = listener.states["n1"]
    assert (state.role, state.counters, state.settings) == ("camera", {"grabbed": 3}, {"Gain": 1.0})
    listener.until(lambda: nodes_of(plan))
    (entry,) = nodes_of(plan)
    assert entry["publishes"] == ["frame/n1/", "state/n1/", "event/n1/"]
    assert entry["endpoints"] == ["ipc:///x"]
    node.stop()
    listener.until(lambda: listener.state_of("n1") == "stopped")
    listener.until(lambda: listener.fields_of("directory", "node_left"))
    assert nodes_of(plan) == []


def test_it_answers_status_its_own_verbs_and_stop(plan: Any, start: Any, listener: Any) -> None:
    node = start(present(plan, verbs={"double": lambda args: {"is": 2 * args["what"]}}))
    listener.until(lambda: nodes_of(plan))
    status = ask(plan, "status", target="n1")
    assert (status["role"], status["state"], status["cause"]) == ("camera", "running", "")
    assert ask(plan, "double", args={"what": 4}, target="n1") == {"is": 8}
    with pytest.raises(RequestRefused) as refused:
        ask(plan, "configure", target="n1")
    assert refused.value.code == "unknown_verb"
    assert ask(plan, "stop", target="n1") == {}
    node.join()
    assert node.error is None


def test_a_state_is_told_at_once_where_it_is_new(plan: Any, listener: Any) -> None:
    with Reactor() as reactor, Presence("n1", "camera", plan, reactor, Report) as presence:
        # Why not just `is_heard`: the broker wants states by itself, and events once the listener is known.
        while not (presence.is_heard and presence.publisher.wants(Topic(EVENT, "n1"))):
            reactor.run_once(0.01)
        presence.enter(DEGRADED, "half of it")
        presence.tell("camera_lost", {"camera": "n1"})
        listener.until(lambda: listener.state_of("n1") == "degraded")
        assert listener.states["n1"].cause == "half of it"
        listener.until(lambda: listener.fields_of("n1", "camera_lost"))
        sent = presence.publisher.counters.sent
        presence.enter(DEGRADED, "half of it")
        assert presence.publisher.counters.sent == sent


def test_without_a_broker_it_runs_holds_nothing_back_and_ends(nowhere: Any) -> None:
    with Reactor() as reactor, Presence("n1", "camera", nowhere, reactor, Report) as presence:
        for _ in range(5_000):
            presence.tell("camera_lost", {})
        reactor.run_once(0.0)
        assert not presence.is_heard
    presence.close()


def test_a_second_node_of_this_name_is_told_to_the_person(
    plan: Any, start: Any, listener: Any, caplog: Any
) -> None:
    start(present(plan))
    listener.until(lambda: nodes_of(plan))
    start(present(plan))
    listener.until(lambda: listener.fields_of("directory", "duplicate_publisher"))
    listener.until(lambda: "give one of them another name" in caplog.text)


def test_the_rates_of_its_topics_are_announced(plan: Any, start: Any) -> None:
    counts = iter(range(0, 10_000, 10))

    def report() -> Report:
        # Ten frames more at each look; there is one look for each announcement and each state.
        return Report(publishes=["frame/n1/"], offered={"frame/n1/": next(counts), "frame/other/": 1})

    start(present(plan, report))
    deadline_s = time.monotonic() + 20
    rates: dict[str, float] = {}
    while not (rates.get("frame/n1/") and rates.get("state/n1/")):
        assert time.monotonic() < deadline_s
        rates = next((node["rates"] for node in nodes_of(plan)), {})
    assert "frame/other/" not in rates


def test_settings_that_are_too_large_are_left_out_of_the_state(
    plan: Any, start: Any, listener: Any, caplog: Any
) -> None:
    report = Report(counters={"grabbed": 1}, settings={"picture": "x" * 100_000})
    start(present(plan, lambda: report))
    listener.until(lambda: listener.state_of("n1") == "running")
    assert (listener.states["n1"].settings, listener.states["n1"].counters) == ({}, {"grabbed": 1})
    assert caplog.text.count("left out") == 1


def test_more_topics_than_the_directory_takes_do_not_take_the_node_from_it(
    plan: Any, start: Any, listener: Any
) -> None:
    start(present(plan, lambda: Report([f"overlay/c{number}/" for number in range(200)])))
    listener.until(lambda: nodes_of(plan))
    assert len(nodes_of(plan)[0]["publishes"]) == ANNOUNCED_MAX + 2


def test_what_a_bad_address_raises_is_raised_and_nothing_is_left_open(plan: Any) -> None:
    from dataclasses import replace

    from zbus.errors import TransportError

    with Reactor() as reactor:
        presence = Presence("n1", "camera", replace(plan, directory=f"ipc:///{'x' * 200}"), reactor, Report)
        with pytest.raises(TransportError, match="cannot be connected"):
            presence.open()
        with pytest.raises(RuntimeError):
            _ = presence.publisher.socket
