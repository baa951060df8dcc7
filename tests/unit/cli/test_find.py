from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from zbus.cli import _find
from zbus.transport import HeardRig
from zbus.wire import Beacon

BY_BEACON = HeardRig(Beacon("arena", "rig1", "s1", 1_000, "tcp://127.0.0.1:5550"), "127.0.0.1", 0)
LOCKED = HeardRig(Beacon("lab", "pc\x1b7", "s2", 1_000, "", "tcp://10.0.0.7:5560", "k" * 40), "10.0.0.7", 0)


class Heard:
    """Stands for what listens, and has heard this."""

    def __init__(self, rigs: list[HeardRig]) -> None:
        self.rigs = rigs
        self.addresses: list[str] = []

    def __call__(self, addresses: Any) -> Heard:
        self.addresses = list(addresses)
        return self

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *_: object) -> None: ...
    def listen(self, duration_s: float) -> list[HeardRig]:
        return self.rigs

    def listing(self) -> list[HeardRig]:
        return self.rigs


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> tuple[Heard, Heard]:
    """By beacon, and by zeroconf."""
    beacons, services = Heard([BY_BEACON]), Heard([BY_BEACON, LOCKED])
    monkeypatch.setattr(_find, "BeaconListener", beacons)
    monkeypatch.setattr(_find, "ZeroconfFinder", services)
    monkeypatch.setattr(_find, "find_spec", lambda name: name)
    return beacons, services


def test_a_rig_that_was_heard_in_two_ways_is_one(heard: Any):
    rigs = _find.find_rigs(0.1, ["127.0.0.1"])
    assert [(rig["rig"], rig["by"]) for rig in rigs] == [
        ("arena", ["beacon", "zeroconf"]),
        ("lab", ["zeroconf"]),
    ]


def test_without_the_library_beacons_are_enough(heard: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_find, "find_spec", lambda name: None)
    assert [rig["by"] for rig in _find.find_rigs(0.1, [])] == [["beacon"]]


def test_where_zeroconf_cannot_ask_beacons_are_enough(
    heard: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuse(addresses: Any) -> Any:
        raise OSError("no multicast")

    monkeypatch.setattr(_find, "ZeroconfFinder", refuse)
    assert [rig["by"] for rig in _find.find_rigs(0.1, [])] == [["beacon"]]
    assert "no multicast" in caplog.text


def test_what_is_shown_names_the_teller_and_steers_no_terminal(heard: Any, run: Any):
    output = run("ls", "--find").output
    assert "arena  on rig1, heard from 127.0.0.1 by beacon and zeroconf" in output
    assert "directory tcp://127.0.0.1:5550" in output
    assert "edge      tcp://10.0.0.7:5560" in output
    assert "k" * 40 in output
    assert "\x1b" not in output


def test_programs_get_all_of_it(heard: Any, run: Any):
    first, second = json.loads(run("ls", "--find", "--json").output)["rigs"]
    assert first == {
        "rig": "arena", "host": "rig1", "session": "s1", "directory": "tcp://127.0.0.1:5550", "edge": "",
        "server_key": "", "address": "127.0.0.1", "by": ["beacon", "zeroconf"],
    }  # fmt: skip
    assert second["server_key"] == "k" * 40


def test_networks_without_an_address_for_all_are_not_listened_to(
    heard: Any, run: Any, monkeypatch: pytest.MonkeyPatch
):
    interfaces = [ipaddress.IPv4Interface(each) for each in ("127.0.0.1/8", "10.0.0.1/31", "10.0.0.9/32")]
    monkeypatch.setattr(_find, "own_interfaces", lambda: interfaces)
    run("ls", "--find")
    assert heard[0].addresses == ["127.0.0.1"]


def test_silence_is_told_with_where_it_was_listened(heard: Any, run: Any):
    heard[0].rigs = heard[1].rigs = []
    output = run("ls", "--find", "1.5").output
    assert "no rig was heard within 1.5 s at 127.0.0.1" in output
    assert "try:" in output


def test_a_broker_that_runs_is_heard(broker: Any, run: Any):
    rigs = json.loads(run("ls", "--find", "4", "--json").output)["rigs"]
    (mine,) = [rig for rig in rigs if rig["directory"] == broker.directory]
    assert "beacon" in mine["by"]
