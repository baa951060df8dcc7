from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from zbus.cli._check import check_locks
from zbus.cli._relay import relay
from zbus.config import HostPlan, RelayPlan, Rig, write_rig
from zbus.errors import ConfigError, ExposedAddress

HOSTS = {"left": HostPlan("127.0.0.1"), "right": HostPlan("127.0.0.2")}


def test_a_relay_is_one_of_a_rig_with_hosts(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(Rig("lab")), encoding="utf-8")
    told = CliRunner().invoke(relay, ["--rig", str(path)])
    assert told.exit_code == 2
    assert "several hosts" in told.output
    path.write_text(write_rig(Rig("lab", hosts=HOSTS, reference="left")), encoding="utf-8")
    told = CliRunner().invoke(relay, ["--rig", str(path)])
    assert isinstance(told.exception, ConfigError)
    assert "left, right" in told.exception.cause
    assert f"relay --rig {path} --host left" in told.exception.next_step


def test_what_others_can_reach_is_locked_or_said_not_to_be() -> None:
    check_locks(Rig("lab", hosts=HOSTS))
    far = {**HOSTS, "top": HostPlan("10.0.0.3")}
    with pytest.raises(ExposedAddress, match=r"top is at 10\.0\.0\.3"):
        check_locks(Rig("lab", hosts=far))
    check_locks(Rig("lab", hosts=far, relay=RelayPlan(insecure=True)))
