from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _gateway


def test_the_page_is_that_of_the_rig(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(_gateway, "run_gateway", taken.append)
    path = tmp_path / "lab.toml"
    path.write_text('[gateway]\nbind = "127.0.0.1:8085"\n')
    run("gateway", "--rig", str(path))
    run("gateway", "--bind", "127.0.0.1:8086")
    assert [(each.title, each.bind) for each in taken] == [
        ("lab", "127.0.0.1:8085"),
        ("rig", "127.0.0.1:8086"),
    ]


def test_what_cannot_be_is_told(run: Any) -> None:
    assert "--bind: is 'foo', not host:port" in run("gateway", "--bind", "foo", ends_with=3).stderr
    assert "--insecure" in run("gateway", "--bind", "0.0.0.0:0", ends_with=3).stderr
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        assert "already in use" in run("gateway", "--bind", taken, ends_with=5).stderr
