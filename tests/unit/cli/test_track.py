from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zbus.nodes
from zbus.config import TrackerPlan


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have run."""
    runs: list[Any] = []
    monkeypatch.setattr(
        zbus.nodes,
        "run_tracker",
        lambda name, plan, broker, reactor, place: runs.append((name, plan)),
        raising=False,
    )
    return runs


def test_a_camera_and_settings(run: Any, ran: list[Any], tmp_path: Path) -> None:
    run(
        "track",
        "--camera",
        "c",
        "--animals",
        "5",
        "--set",
        "detector_settings.min_area=9",
        "--detector",
        "adaptive",
    )
    path = tmp_path / "rig.toml"
    path.write_text("[cameras.c]\nsource = 'sim'\n[trackers.t]\ncamera = 'c'\n")
    run("track", "--rig", str(path), "--id", "t")
    settings = {"animals": 5, "detector": "adaptive", "detector_settings": {"min_area": 9}}
    assert ran == [("c-tracks", TrackerPlan("c", "blob", settings)), ("t", TrackerPlan("c"))]
    assert "there is: t" in run("track", "--rig", str(path), "--id", "x", ends_with=4).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "name a --camera"),
        (["--camera", "c", "--animals", "0"], 3, "--animals: must be"),
        (["--camera", "c", "--tracker", "blub"], 4, "there is: blob"),
        (["--camera", "c", "--detector", "eye"], 4, "there is: adaptive"),
        (["--camera", "c", "--set", "foo=1"], 3, "--set foo: is not a setting here"),
        (["--camera", "c", "--set", "detector_settings.foo=1"], 3, "--set detector_settings.foo"),
        (["--camera", "c", "--set", "foo"], 3, "key=value"),
    ],
)
def test_what_cannot_be_is_told(run: Any, arguments: list[str], code: int, words: str) -> None:
    assert words in run("track", *arguments, ends_with=code).stderr


def test_without_its_camera_or_a_broker_it_ends(
    run: Any, at: list[str], free_endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zbus.nodes._tracker.CAMERA_WAIT_S", 0.2)
    monkeypatch.setattr("zbus.nodes._tracker.ASK_TIMEOUT_S", 0.2)
    assert (
        "no camera is called 'nope'; there is: none"
        in run("track", "--camera", "nope", *at, ends_with=4).stderr
    )
    told = run("track", "--camera", "nope", "--directory", free_endpoint(), ends_with=6).stderr
    assert "zbus broker" in told
