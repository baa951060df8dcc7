from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _up


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[cameras.a]\nsource = 'sin'\n", "rig.toml:2: cameras.a.source: is 'sin' (expected one of file"),
        ("[trackers.t]\ncamera = 'a'\n", "rig.toml:2: trackers.t.camera: is 'a'"),
        ("x = [\n", "rig.toml:1: is not TOML"),
        (b"\x00\xff", "rig.toml: is not a text file (expected TOML in UTF-8)"),
    ],
)
def test_a_wrong_rig_file_starts_nothing(run: Any, tmp_path: Path, text: Any, words: str) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert words in run("up", str(path), ends_with=3).stderr


def test_a_rig_with_hosts_is_run_host_by_host(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[hosts.left]\naddress = '10.0.0.1'\n[hosts.right]\naddress = '10.0.0.2'\n")
    told = run("up", str(path), ends_with=3).stderr
    assert "has hosts: left, right" in told
    assert f"zbus up {path} --host left" in told
    told = run("up", str(path), "--host", "left", ends_with=3).stderr
    assert "the relay of left is at 10.0.0.1" in told
    assert (
        "is called 'top'; there is: left, right" in run("up", str(path), "--host", "top", ends_with=4).stderr
    )
    path.write_text("")
    assert "this rig has no hosts" in run("up", str(path), "--host", "left", ends_with=3).stderr


def test_what_is_no_file(run: Any, tmp_path: Path) -> None:
    assert "is a folder" in run("up", str(tmp_path), ends_with=3).stderr
    assert "zbus demo --write-rig" in run("up", str(tmp_path / "none.toml"), ends_with=3).stderr


def test_what_runs_is_shown(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere_text: str
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(nowhere_text)
    monkeypatch.setattr(_up, "plan_children", lambda rig, path: [])
    monkeypatch.setattr("zbus.transport.Reactor.run", lambda reactor: None)
    lines = run("up", str(path)).output.splitlines()
    assert lines[0].startswith("rig is up; Ctrl-C ends it")
    assert lines[1].startswith("  page: http://127.0.0.1:")
    assert lines[-1] == "rig is down"


@pytest.fixture
def nowhere_text(free_endpoint: Any) -> str:
    names = ("directory", "publish", "subscribe")
    page = free_endpoint().removeprefix("tcp://")
    return (
        "[broker]\n"
        + "".join(f'{name} = "{free_endpoint()}"\n' for name in names)
        + f'[gateway]\nbind = "{page}"\n'
    )
