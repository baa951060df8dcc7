from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _demo
from zbus.config import BrokerPlan, CameraPlan, Rig, load_rig
from zbus.errors import ConfigError, NodeFailed
from zbus.nodes import Supervisor
from zbus.transport import Reactor

SUMMARY = {"frames": 3, "tracks": 2, "gaps": 1, "drops": 0, "ids": 5, "latency_ms": {"p50": 1.0, "p99": 2.0}}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have run, as its rig file says."""
    runs: list[Any] = []

    def run(rig: Any, path: Path, *options: Any) -> Any:
        runs.append((load_rig(path), *options))
        return SUMMARY

    monkeypatch.setattr(_demo, "_run", run)
    return runs


def test_options_make_the_rig(run: Any, ran: list[Any]) -> None:
    told = run("demo", "--animals", "3", "--seconds", "2", "--no-browser")
    assert "3 frames, 2 tracks messages, 5 animals" in told.output
    assert "half within 1.0 ms" in told.output
    assert json.loads(run("demo", "--json", "--ports", "auto").output) == SUMMARY
    (first, *options), (second, *_) = ran
    assert first.cameras["arena"].settings == {"animals": 3}
    assert options == [2.0, False, False]
    assert second.broker.directory != first.broker.directory == "tcp://127.0.0.1:5550"


@pytest.mark.parametrize(
    "arguments", [["--animals", "0"], ["--animals", "x"], ["--seconds", "0"], ["--ports", "1"]]
)
def test_wrong_options_are_told(fail: Any, arguments: list[str]) -> None:
    assert arguments[0] in fail("demo", *arguments, ends_with=2)["cause"]


def test_a_rig_file_that_is_there_is_kept(fail: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    run("demo", "--write-rig", str(path))
    assert load_rig(path).cameras["arena"].source == "sim"
    path.write_text("mine")
    told = fail("demo", "--write-rig", str(path), ends_with=3)
    assert told["cause"] == f"{path} exists already"
    assert told["next_step"] == "choose another name, or remove it first"
    with pytest.raises(ConfigError, match="exists already"):
        _demo._write(path, _demo.arena_rig(1))
    assert path.read_text() == "mine"


def test_a_summary_without_tracks_can_be_read() -> None:
    assert "nan" in _demo._describe_summary({**SUMMARY, "latency_ms": None})
    assert "1.25 px" in _demo._describe_summary({**SUMMARY, "centroid_rmse_px": 1.25})


def test_beside_a_rig_that_is_up_one_more_can_be_had(fail: Any, free_endpoint: Any, monkeypatch: Any) -> None:
    plan = BrokerPlan(*(free_endpoint() for _ in range(3)))
    rig = Rig(name="demo", broker=plan, cameras={"arena": CameraPlan("sim")})
    monkeypatch.setattr(_demo, "arena_rig", lambda animals: rig)
    monkeypatch.setattr("zbus.nodes.plan_children", lambda rig, path: [])
    with Reactor() as reactor, Supervisor(rig, [], reactor):
        told = fail("demo", ends_with=1)
    assert "is up already here" in told["cause"]
    assert told["next_step"].endswith("; for one more beside it: zbus demo --ports auto")


class Quiet:
    """A rig that never comes to life, or a process of it that failed."""

    tracks, failure = 0, None


def test_a_rig_that_gives_no_tracks_is_told_and_a_failed_process_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig: Any = _demo.arena_rig(1)
    monkeypatch.setattr(_demo, "START_TIMEOUT_S", 0.1)
    with Reactor() as reactor:
        with pytest.raises(NodeFailed, match="no tracks"):
            _demo._wait_until_ready(rig, Quiet(), Quiet(), reactor)  # type: ignore[arg-type]
        failed: Any = Quiet()
        failed.failure = NodeFailed("arena: no such device")
        with pytest.raises(NodeFailed, match="no such device"):
            _demo._wait_until_ready(rig, failed, failed, reactor)
