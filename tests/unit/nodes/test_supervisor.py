from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zbus.config import (
    BrokerPlan,
    CameraPlan,
    GatewayPlan,
    HostPlan,
    OverlayPlan,
    Rig,
    TrackerPlan,
    host_part,
)
from zbus.errors import AddressInUse, NodeFailed, ZbusError
from zbus.nodes import Supervisor, _supervisor, plan_children, rig_folder
from zbus.nodes._child import ChildPlan
from zbus.nodes._status import FILE_NAME, SUPERVISOR
from zbus.transport import IpcName, Reactor

SLEEPER = ChildPlan("sleeper", "broker", ["broker", "--quiet", "--directory", "tcp://127.0.0.1:0"], 0)


@pytest.fixture
def rig(nowhere: BrokerPlan) -> Rig:
    return Rig("lab", broker=nowhere)


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    with Reactor() as reactor:
        yield reactor


def run_until(reactor: Reactor, condition: Any) -> None:
    reactor.after(20.0, reactor.stop)
    while not condition():
        assert not reactor.stopping
        reactor.run_once(0.05)


def test_processes_are_planned_in_the_order_in_which_they_are_needed() -> None:
    rig = Rig(
        cameras={"c": CameraPlan("sim")},
        trackers={"t": TrackerPlan("c")},
        overlay=OverlayPlan(),
        gateway=GatewayPlan(),
    )
    plans = plan_children(rig, Path("/a/rig.toml"))
    assert [(plan.node, plan.rank) for plan in plans] == [
        ("directory", 0),
        ("c", 1),
        ("t", 2),
        ("overlay", 2),
        ("gateway", 3),
    ]
    assert plans[1].arguments == ["camera", "--rig", "/a/rig.toml", "--id", "c"]
    assert [plan.node for plan in plan_children(Rig(), Path("x"))] == ["directory"]


def test_each_host_runs_its_part_and_a_relay_where_there_are_several() -> None:
    hosts = {"left": HostPlan("127.0.0.1"), "right": HostPlan("127.0.0.2")}
    cameras = {"c": CameraPlan("sim", host="left")}
    rig = Rig(hosts=hosts, cameras=cameras, gateway=GatewayPlan(host="right"))
    plans = plan_children(host_part(rig, "left"), Path("/a/rig.toml"))
    assert [plan.node for plan in plans] == ["directory", "relay.left", "c"]
    assert plans[1].arguments == ["relay", "--rig", "/a/rig.toml", "--host", "left"]
    assert plans[2].arguments == ["camera", "--rig", "/a/rig.toml", "--host", "left", "--id", "c"]
    plans = plan_children(host_part(rig, "right"), Path("/a/rig.toml"))
    assert [plan.node for plan in plans] == ["directory", "relay.right", "gateway"]
    alone = Rig(hosts={"left": HostPlan("127.0.0.1")}, cameras=cameras)
    plans = plan_children(host_part(alone, "left"), Path("/a/rig.toml"))
    assert [plan.node for plan in plans] == ["directory", "c"]


def test_what_dies_is_started_again_and_all_end_with_it(rig: Rig, reactor: Reactor) -> None:
    with Supervisor(rig, [SLEEPER], reactor) as supervisor:
        (child,) = supervisor.children
        first = child.pid
        os.kill(first, 9)
        run_until(reactor, lambda: child.restarts == 1 and child.running)
        assert child.pid != first
        assert supervisor.failure is None
        folder = rig_folder(rig.broker)
        assert (folder / FILE_NAME).exists()
        second = child.pid
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_a_second_one_is_refused(rig: Rig, reactor: Reactor) -> None:
    with Supervisor(rig, [], reactor), pytest.raises(ZbusError, match="up already") as refused:
        Supervisor(rig, [], reactor).open()
    assert "zbus ps" in refused.value.next_step


def test_a_look_at_the_name_does_not_keep_it_from_starting(
    rig: Rig, reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = IpcName(rig_folder(rig.broker), SUPERVISOR)
    name.acquire()
    reactor.after(0.1, name.release)
    with Supervisor(rig, [], reactor) as supervisor:
        assert supervisor.children == []


def test_an_address_that_is_taken_is_named_before_anything_starts(rig: Rig, reactor: Reactor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        taken = replace(rig, broker=replace(rig.broker, publish=address))
        supervisor = Supervisor(taken, [SLEEPER], reactor)
        with pytest.raises(AddressInUse) as refused:
            supervisor.open()
    assert refused.value.endpoint == address
    assert not supervisor.children[0].running
    with Supervisor(taken, [], reactor):
        pass


def test_what_waiting_does_not_heal_ends_the_rig_with_the_childs_own_words(
    rig: Rig, reactor: Reactor
) -> None:
    hopeless = ChildPlan("cam1", "camera", ["camera", "--directory", "foo", "sim"], 1)
    with Supervisor(rig, [SLEEPER, hopeless], reactor), pytest.raises(NodeFailed) as failed:
        run_until(reactor, lambda: False)
    assert failed.value.cause.startswith("cam1: --directory: is 'foo'")
    assert failed.value.exit_code == 3


def test_a_device_that_is_not_there_is_tried_again(rig: Rig, reactor: Reactor) -> None:
    plan = ChildPlan("cam1", "camera", ["camera", "file", "--path", "nowhere.avi"], 1)
    with Supervisor(rig, [plan], reactor) as supervisor:
        (child,) = supervisor.children
        run_until(reactor, lambda: child.failure is not None and not child.running)
        assert supervisor.failure is child.failure
        assert child.failure is not None
        assert child.failure.code == "camera_not_found"
        run_until(reactor, lambda: child.restarts == 1)


def test_a_bad_address_leaves_nothing_behind(rig: Rig, reactor: Reactor) -> None:
    supervisor = Supervisor(
        replace(rig, broker=replace(rig.broker, publish=f"ipc:///{'x' * 200}")), [], reactor
    )
    with pytest.raises(ZbusError, match="cannot be connected"):
        supervisor.open()
    supervisor.close()
    with Supervisor(rig, [], reactor):
        pass


def test_at_its_end_no_memory_of_killed_cameras_is_left(
    rig: Rig, reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[bool] = []
    supervisor = Supervisor(rig, [SLEEPER], reactor)
    monkeypatch.setattr(
        _supervisor, "sweep_rings", lambda: swept.append(any(each.running for each in supervisor.children))
    )
    with supervisor:
        assert swept == []
    assert swept == [False]
