from __future__ import annotations

import time
from typing import Any

import pytest

from zbus.cli._hosts import SAME, describe_clock, in_microseconds, list_hosts
from zbus.config import BrokerPlan
from zbus.errors import RequestRefused

HERE = BrokerPlan(host="left")
FAR = BrokerPlan(directory="tcp://10.0.0.1:5550", host="desk")
CLOCK = {"offset_ns": 5_000_000_000, "error_ns": 40_000, "rtt_ns": 80_000, "utc_offset_ns": -300_000}


class Asked:
    """A bus on which nodes have this status, and whose directory's clock is `ahead_ns` ahead."""

    def __init__(self, statuses: dict[str, Any] | None = None, ahead_ns: int | None = 0) -> None:
        self.statuses, self.ahead_ns = statuses or {}, ahead_ns
        self.verbs: list[str] = []

    def request(self, verb: str, *, target: str = "directory", timeout_s: float = 0) -> Any:
        self.verbs.append(verb)
        if target in self.statuses:
            return self.statuses[target]
        if verb == "clock" and self.ahead_ns is not None:
            mono_ns, utc_ns = time.monotonic_ns() + self.ahead_ns, time.time_ns() + self.ahead_ns
            return {"mono_ns": mono_ns, "utc_ns": utc_ns, "host": "left"}
        raise RequestRefused("unknown_verb", verb)


def node(name: str, host: str, role: str = "camera") -> dict[str, Any]:
    return {"node": name, "host": host, "role": role}


def relays(told: Any) -> dict[str, Any]:
    hosts = {host: {"from": {"clock": clock}} for host, clock in told.items()}
    return {"relay.left": {"details": {"hosts": hosts}}}


NODES = [node("cam2", "right"), node("cam1", "left"), node("relay.left", "left", "relay")]


def hosts_of(asked: Asked, broker: BrokerPlan = HERE, nodes: Any = NODES) -> list[dict[str, Any]]:
    return list_hosts(asked, broker, nodes)  # pyright: ignore


def test_a_plain_rig_is_this_host_whose_clock_is_its_own():
    asked = Asked()
    assert hosts_of(asked, nodes=[node("cam1", "left")]) == [
        {"host": "left", "here": True, "nodes": 1, "clock": SAME}
    ]
    assert asked.verbs == []


def test_the_relay_of_this_host_knows_the_clocks_of_others():
    left, right = hosts_of(Asked(relays({"right": CLOCK})))
    assert (left["host"], left["nodes"]) == ("left", 2)
    assert right == {"host": "right", "here": False, "nodes": 1, "clock": CLOCK}


def test_a_host_of_which_nothing_is_announced_is_listed_where_its_clock_is_known():
    asked = Asked(relays({"up": CLOCK, "right": CLOCK}))
    assert [host["host"] for host in hosts_of(asked)] == ["left", "right", "up"]


@pytest.mark.parametrize(
    "told", [None, 5, {}, {"hosts": 7}, {"hosts": {"right": 7}}, {"offset_ns": "x"}, {"error_ns": 1}]
)
def test_a_relay_that_tells_no_clock_is_no_error(told: Any):
    status = {"details": told}
    assert [host["clock"] for host in hosts_of(Asked({"relay.left": status}))] == [SAME, None]
    assert [host["clock"] for host in hosts_of(Asked(relays({"right": told})))] == [SAME, None]


def test_a_relay_that_does_not_answer_is_no_error():
    assert hosts_of(Asked())[1]["clock"] is None


def test_only_the_relay_of_the_directorys_host_is_asked():
    nodes = [node("relay.right", "right", "relay")]
    asked = Asked({"relay.right": relays({"left": CLOCK})["relay.left"]})
    assert [host["clock"] for host in hosts_of(asked, nodes=nodes)] == [SAME, None]


def test_by_way_of_another_host_clocks_add_up():
    left, right = hosts_of(Asked(relays({"right": CLOCK}), ahead_ns=10**12), FAR)
    assert (left["host"], left["here"]) == ("left", False)
    assert abs(left["clock"]["offset_ns"] - 10**12) <= left["clock"]["error_ns"]
    assert right["clock"]["offset_ns"] == left["clock"]["offset_ns"] + CLOCK["offset_ns"]
    assert right["clock"]["error_ns"] == left["clock"]["error_ns"] + CLOCK["error_ns"]


def test_a_directory_that_does_not_tell_the_time_is_listed():
    left, *others = hosts_of(Asked(ahead_ns=None), FAR)
    assert (left["host"], left["clock"]) == (FAR.directory, None)
    assert [host["clock"] for host in others] == [None, None]


def test_clocks_for_people_and_for_programs():
    assert describe_clock(None) == "clock not known"
    assert describe_clock(CLOCK) == "wall clock -0.300 ms, monotonic clock +5.000000 s, known to 0.040 ms"
    assert in_microseconds(None) is None
    assert in_microseconds({"offset_ns": 1_234_567}) == {"offset_us": 1_235}
