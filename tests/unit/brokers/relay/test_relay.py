from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from zbus.config import HostPlan
from zbus.errors import AddressInUse, ExposedAddress, RequestRefused
from zbus.nodes import is_answered
from zbus.transport import Reactor
from zbus_brokers.relay import run_relay

from .conftest import Hosts


def test_it_is_a_node_of_its_host_and_tells_of_each_other_one(
    hosts: Hosts, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    hosts.start_broker("left")
    hosts.start_relay("left")
    wait_until(lambda: "relay.left" in hosts.nodes("left"))
    status = hosts.ask("left", "status", "relay.left")
    assert (status["role"], status["host"], status["state"]) == ("relay", "left", "degraded")
    assert status["cause"] == "not reached: right"
    assert status["details"]["reference"] == "left"
    from_right = status["details"]["hosts"]["right"]["from"]
    assert (from_right["connected"], from_right["clock"]) == (False, {})
    hosts.start_broker("right")
    hosts.start_relay("right")
    wait_until(lambda: hosts.ask("left", "status", "relay.left")["state"] == "running")
    clock = hosts.details("left", "right")["from"]["clock"]
    assert abs(clock["offset_ns"]) <= clock["error_ns"]
    with pytest.raises(RequestRefused) as caught:
        hosts.ask("right", "jump", "relay.right")
    assert caught.value.code == "unknown_verb"


def test_it_stops_when_it_is_asked_to(hosts: Hosts, wait_until: Any) -> None:
    hosts.start_broker("left")
    relay = hosts.start_relay("left")
    wait_until(lambda: "relay.left" in hosts.nodes("left"))
    hosts.ask("left", "stop", "relay.left")
    relay.stop()
    assert relay.error is None
    wait_until(lambda: "relay.left" not in hosts.nodes("left"))


def test_a_broker_that_starts_anew_is_told_everything_again(hosts: Hosts, wait_until: Any) -> None:
    hosts.start_broker("left")
    hosts.start_relay("left")
    broker = hosts.start_broker("right")
    hosts.start_relay("right")
    wait_until(lambda: "relay.left" in hosts.nodes("right"))
    broker.stop()
    hosts.start_broker("right")
    wait_until(lambda: {"relay.left", "relay.right"} <= set(hosts.nodes("right")))


def test_an_address_that_is_taken_or_open_to_all_is_refused(hosts: Hosts, wait_until: Any) -> None:
    first = hosts.start_relay("left")
    rig = hosts.rig("left")
    wait_until(lambda: is_answered(rig.hosts["left"].relay_endpoint, 1.0))
    with Reactor() as reactor, pytest.raises(AddressInUse):
        run_relay(rig, rig.broker, reactor)
    exposed = replace(rig, hosts={**rig.hosts, "left": HostPlan("192.0.2.1")})
    with Reactor() as reactor, pytest.raises(ExposedAddress):
        run_relay(exposed, rig.broker, reactor)
    assert first.error is None
