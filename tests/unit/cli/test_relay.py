from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from zbus.cli._check import relay_keys
from zbus.cli._relay import relay
from zbus.config import HostPlan, RelayPlan, Rig, write_rig
from zbus.errors import ConfigError, ExposedAddress
from zbus.transport import KeysFolder

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


def test_what_others_can_reach_is_locked_or_said_not_to_be(tmp_path: Path) -> None:
    assert relay_keys(Rig("lab", hosts=HOSTS)) is None
    far, folder = {**HOSTS, "top": HostPlan("10.0.0.3")}, tmp_path / "keys"
    with pytest.raises(ExposedAddress, match=r"top is at 10\.0\.0\.3") as caught:
        relay_keys(Rig("lab", hosts=far, keys=str(folder)))
    assert f"zbus keys new --keys '{folder}'" in caught.value.next_step
    assert relay_keys(Rig("lab", hosts=far, relay=RelayPlan(insecure=True))) is None
    KeysFolder(folder).make_rig_key()
    assert relay_keys(Rig("lab", hosts=far, keys=str(folder))) == folder
    assert relay_keys(Rig("lab", hosts=HOSTS, keys=str(folder))) == folder
