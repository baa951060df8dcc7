from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _down


def status(name: str) -> dict[str, Any]:
    return {"rig": name, "pid": 2**22 + 1, "directory": "tcp://127.0.0.1:1"}


def test_without_a_rig_there_is_nothing_to_stop(run: Any) -> None:
    assert "zbus up RIG.TOML" in run("down", ends_with=4).stderr


def test_of_several_one_must_be_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_down, "find_supervisors", lambda: [status("a"), status("b")])
    assert "several rigs are up: a, b" in run("down", ends_with=4).stderr


def test_a_rig_that_is_not_up_is_told_with_how_to_start_it(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text("")
    told = run("down", str(path), ends_with=4).stderr
    assert "no running rig is called 'lab'" in told
    assert f"zbus up {path}" in told


def test_one_that_ended_meanwhile_is_down(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_down, "find_supervisors", lambda: [status("a")])
    assert run("down").output == "a is down\n"


def test_one_that_does_not_end_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_down, "find_supervisors", lambda: [status("a")])
    monkeypatch.setattr(_down, "has_left", lambda status: False)
    monkeypatch.setattr(_down, "STOP_TIMEOUT_S", 0.1)
    assert "kill -9" in run("down", ends_with=6).stderr
