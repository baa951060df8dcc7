from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zbus.nodes
from zbus.config import BrokerPlan, CameraPlan


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, brokers: list[BrokerPlan]) -> list[Any]:
    """What would have run."""
    runs: list[Any] = []
    monkeypatch.setattr(
        zbus.nodes,
        "run_camera",
        lambda name, plan, broker, reactor, place: (runs.append((name, plan)), brokers.append(broker)),
        raising=False,
    )
    return runs


@pytest.fixture
def brokers() -> list[BrokerPlan]:
    """Those that were named to what ran."""
    return []


def test_a_source_and_its_settings(run: Any, ran: list[Any]) -> None:
    run("camera", "sim", "--animals", "3", "--pace", "fast")
    run("camera", "--id", "cam7", "file", "--path", "x.avi", "--loop")
    assert ran == [
        ("sim", CameraPlan("sim", {"animals": 3, "pace": "fast"})),
        ("cam7", CameraPlan("file", {"path": "x.avi", "loop": True})),
    ]


def test_id_and_addresses_stand_before_the_source_or_after_it(
    run: Any, ran: list[Any], brokers: list[BrokerPlan], tmp_path: Path
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[broker]\ndirectory = 'tcp://127.0.0.1:1'\n")
    options = ["--id", "cam1", "--rig", str(path), "--publish", "tcp://127.0.0.1:2"]
    run("camera", *options, "sim")
    run("camera", "sim", *options, "--animals", "2")
    run("camera", *options, "sim", "--id", "cam2", "--publish", "tcp://127.0.0.1:3")
    assert [name for name, _ in ran] == ["cam1", "cam1", "cam2"]
    assert ran[1][1].settings == {"animals": 2}
    assert [broker.publish[-1] for broker in brokers] == ["2", "2", "3"]
    assert {broker.directory for broker in brokers} == {"tcp://127.0.0.1:1"}
    assert "--subscribe: is 'x'" in run("camera", "sim", "--subscribe", "x", ends_with=3).stderr
    assert "--id" in run("camera", "sim", "--help").output


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_numbers_of_settings_are_finite(run: Any, number: str) -> None:
    assert "is not a finite number" in run("camera", "sim", "--fps", number, ends_with=2).stderr


def test_whole_numbers_of_settings_fit_into_64_bits(run: Any, ran: list[Any]) -> None:
    for flag in ("--animals", "--seed"):
        told = run("camera", "sim", flag, str(2**62 + 1), ends_with=2).stderr
        assert "whole numbers go up to 2**62" in told
    assert not ran


def test_one_of_a_rig_file(run: Any, ran: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[cameras.a]\nsource = 'sim'\njpeg_hz = 5\n")
    run("camera", "--rig", str(path), "--id", "a")
    assert ran == [("a", CameraPlan("sim", jpeg_hz=5.0))]
    assert "there is: a" in run("camera", "--rig", str(path), "--id", "b", ends_with=4).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "name a source (file, opencv, sim)"),
        (["sin"], 2, "No such command 'sin'; there is: file, opencv, sim"),
        (["file"], 2, "--path"),
        (["sim", "--fps", "-3"], 3, "--fps: must be from"),
        (["sim", "--body-length-px", "400"], 3, "--body-length-px: must be"),
        (["file", "--path", "nope"], 7, "there is no file nope"),
        (["opencv", "--device", "99"], 7, "there is no camera 99"),
    ],
)
def test_what_cannot_be_is_told(run: Any, arguments: list[str], code: int, words: str) -> None:
    assert words in run("camera", *arguments, ends_with=code).stderr


def test_a_wrong_setting_of_a_rig_file_is_told_with_its_line(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[cameras.a]\nsource = 'sim'\n[cameras.a.settings]\nfps = 0\n")
    told = run("camera", "--rig", str(path), "--id", "a", ends_with=3).stderr
    assert f"{path}:4: cameras.a.settings.fps: must be" in told
