from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _broker, _edge
from zbus.config import EdgePlan
from zbus.transport import KeysFolder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZBUS_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr(_edge, "load_plugin", lambda group, name: lambda *given: calls.append(given))
    return calls


def refuse_to_run(group: str, name: str) -> Any:
    raise AssertionError("nothing may be bound")


VERBS = (["edge"], ["broker"])


@pytest.mark.parametrize("verb", VERBS)
def test_without_keys_nothing_is_bound_and_the_error_makes_keys(
    verb: list[str], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_edge, _broker):
        monkeypatch.setattr(module, "load_plugin", refuse_to_run)
    told = run(*verb, "--bind", "tcp://0.0.0.0:5560", ends_with=3).stderr
    assert "there are no keys" in told
    assert told.index("zbus keys new NAME") < told.index("--insecure")
    assert "--keys" in run(*verb, "--bind", "tcp://0.0.0.0:5560", "--keys", "/none", ends_with=3).stderr


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("port", [5549, 5550, 5552, 5554])
def test_ports_of_the_broker_and_the_overlay_door_are_refused_with_a_free_choice(
    verb: list[str], port: int, run: Any, folder: Path
) -> None:
    KeysFolder(folder).make_rig_key()
    told = run(*verb, "--bind", f"tcp://0.0.0.0:{port}", ends_with=3).stderr
    assert "tcp://0.0.0.0:5560" in told
    assert "on this machine" in told


def test_a_keys_folder_that_others_can_read_is_refused(run: Any, folder: Path) -> None:
    KeysFolder(folder).make_rig_key()
    folder.chmod(0o755)
    assert "chmod 0700" in run("edge", "--bind", "tcp://0.0.0.0:5560", ends_with=3).stderr


def test_it_runs_with_keys_and_is_silent(run: Any, folder: Path, played: list[Any]) -> None:
    KeysFolder(folder).make_rig_key()
    told = run("edge", "--bind", "tcp://127.0.0.1:5560", "--overlays", "tcp://127.0.0.1:9")
    assert told.output == ""
    plan, broker, door, keys, _ = played[0]
    assert plan == EdgePlan("tcp://127.0.0.1:5560")
    assert (broker.directory, door, keys) == ("tcp://127.0.0.1:5550", "tcp://127.0.0.1:9", folder)


def test_without_a_lock_it_is_loud(run: Any, played: list[Any]) -> None:
    assert "nothing is locked" in run("edge", "--bind", "tcp://0.0.0.0:5560", "--insecure").stderr
    assert played[0][0].insecure


def test_a_rig_file_says_where(run: Any, tmp_path: Path, played: list[Any]) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text('[rig]\nkeys = "mine"\n[edge]\nbind = "tcp://127.0.0.1:6000"\n')
    KeysFolder(tmp_path / "mine").make_rig_key()
    run("edge", "--rig", str(rig))
    assert played[0][0] == EdgePlan("tcp://127.0.0.1:6000")
    assert played[0][3] == tmp_path / "mine"


def test_it_has_to_be_somewhere(run: Any) -> None:
    assert "--bind" in run("edge", ends_with=2).stderr
    assert "is 'x'" in run("edge", "--bind", "x", ends_with=3).stderr
