from __future__ import annotations

import socket
from pathlib import Path

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
    load_rig,
    write_rig,
)
from zbus.errors import ConfigError, UnknownName

RIG = Rig(
    "lab",
    broker=BrokerPlan(directory="tcp://127.0.0.1:6000"),
    hosts={"left": HostPlan("127.0.0.1"), "right": HostPlan("127.0.0.2", publish="tcp://127.0.0.2:6001")},
    cameras={"cam1": CameraPlan("sim", host="left")},
    trackers={"t1": TrackerPlan("cam1", host="right")},
    overlay=OverlayPlan(host="left"),
    gateway=GatewayPlan(host="right"),
    reference="left",
)


def test_each_host_has_its_part_and_its_own_broker() -> None:
    left, right = host_part(RIG, "left"), host_part(RIG, "right")
    assert (list(left.cameras), list(left.trackers), left.gateway) == (["cam1"], [], None)
    assert (list(right.cameras), list(right.trackers), right.overlay) == ([], ["t1"], None)
    assert left.overlay is RIG.overlay
    assert right.broker == BrokerPlan(
        directory="tcp://127.0.0.1:6000", publish="tcp://127.0.0.2:6001", host="right"
    )
    assert (left.broker.here, left.host, list(left.hosts)) == ("left", "left", ["left", "right"])
    assert BrokerPlan().here == socket.gethostname()


def test_without_a_host_the_hosts_and_the_command_are_told() -> None:
    with pytest.raises(ConfigError) as caught:
        host_part(RIG, None, verb="zbus up lab.toml")
    assert "left, right" in caught.value.cause
    assert "zbus up lab.toml --host left" in caught.value.next_step


def test_a_host_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UnknownName, match="left, right"):
        host_part(RIG, "top")
    with pytest.raises(ConfigError, match="has no hosts"):
        host_part(Rig(), "left")
    assert host_part(Rig(), None) == Rig()


def test_a_rig_with_hosts_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(write_rig(RIG), encoding="utf-8")
    assert load_rig(path) == RIG
