from __future__ import annotations

import socket
from typing import Any

import pytest

import zbus.nodes
from zbus.config import OverlayPlan


def test_the_door_is_where_it_is_asked_to_be(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Any] = []
    monkeypatch.setattr(
        zbus.nodes, "run_overlay", lambda plan, broker, reactor: plans.append(plan), raising=False
    )
    run("overlay")
    assert "nothing is locked" in run("overlay", "--bind", "tcp://0.0.0.0:1", "--insecure").stderr
    assert plans == [OverlayPlan(), OverlayPlan("tcp://0.0.0.0:1", insecure=True)]


def test_what_cannot_be_is_told(run: Any) -> None:
    assert "--bind: is 'foo', not an endpoint" in run("overlay", "--bind", "foo", ends_with=3).stderr
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert f"{taken} is already in use" in run("overlay", "--bind", taken, ends_with=5).stderr
