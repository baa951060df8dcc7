from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _broker
from zbus.transport import KeysFolder


@pytest.fixture
def beacons() -> list[dict[str, str]]:
    """What the broker was given to tell in beacons."""
    return []


@pytest.fixture
def played(beacons: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A broker that is ready and ends."""
    plans: list[Any] = []

    def run_broker(plan: Any, reactor: Any, on_ready: Any, **told: str) -> None:
        plans.append(plan)
        beacons.append(told)
        on_ready({"directory": plan.directory})

    monkeypatch.setattr(_broker, "load_plugin", lambda group, name: run_broker)
    return plans


def test_it_says_where_it_listens(run: Any, played: list[Any]) -> None:
    where = ["--directory", "tcp://127.0.0.1:7"]
    assert "directory  tcp://127.0.0.1:7" in run("broker", *where).output
    assert json.loads(run("broker", *where, "--json").output) == {
        "endpoints": {"directory": "tcp://127.0.0.1:7"}
    }
    assert run("broker", *where, "--quiet").output == ""
    assert [plan.insecure for plan in played] == [False] * 3


def test_who_opens_it_to_all_is_warned(run: Any, played: list[Any]) -> None:
    assert "nothing is locked" in run("broker", "--insecure").stderr
    assert played[0].insecure


def test_on_which_interfaces_it_tells_of_itself(run: Any, played: list[Any]) -> None:
    for words in (
        [],
        ["--beacon", "none"],
        ["--beacon", "127.0.0.1", "--beacon", "10.0.0.1/24", "--zeroconf"],
    ):
        run("broker", *words)
    assert [plan.beacon for plan in played] == [("127.0.0.1",), (), ("127.0.0.1", "10.0.0.1/24")]
    assert [plan.zeroconf for plan in played] == [False, False, True]


def test_of_an_edge_the_place_and_the_public_key_are_told(
    run: Any, played: list[Any], beacons: list[dict[str, str]], tmp_path: Path, caplog: Any
) -> None:
    file = tmp_path / "lab.toml"
    locked = '[rig]\nkeys = "keys"\n[edge]\nbind = "tcp://0.0.0.0:7000"\n'
    file.write_text(locked)
    run("broker", "--rig", str(file))
    keys = KeysFolder(tmp_path / "keys")
    keys.make_rig_key()
    run("broker", "--rig", str(file))
    file.write_text(locked + "insecure = true\n")
    run("broker", "--rig", str(file))
    public = keys.rig_key().public
    keys.folder.chmod(0o755)
    file.write_text(locked)
    run("broker", "--rig", str(file))
    assert "beacons tell no key of the edge" in caplog.text
    place = {"rig": "lab", "edge": "tcp://0.0.0.0:7000"}
    assert beacons == [place, {**place, "server_key": public}, place, place]


def test_what_is_no_interface_is_named(fail: Any, played: list[Any]) -> None:
    told = fail("broker", "--beacon", "lab", ends_with=3)
    assert "--beacon" in told["cause"]
    assert "10.0.0.1/24" in told["cause"]


def test_a_port_that_is_taken_and_an_address_that_is_open_to_all(
    fail: Any, broker: Any, free_endpoint: Any
) -> None:
    free = [free_endpoint() for _ in range(2)]
    told = fail(
        "broker", "--directory", free[0], "--publish", broker.publish, "--subscribe", free[1], ends_with=5
    )
    assert broker.publish in told["cause"]
    told = fail(
        "broker", "--directory", "tcp://0.0.0.0:0", "--publish", free[0], "--subscribe", free[1], ends_with=3
    )
    assert "--insecure" in told["next_step"]
