from __future__ import annotations

import json
from typing import Any

import pytest

from zbus.cli import _ps

RIG = {
    "rig": "lab",
    "pid": 5,
    "directory": "tcp://127.0.0.1:5550",
    "children": [
        {"node": "cam1", "role": "camera", "pid": 6, "running": True, "restarts": 0, "up_s": 3.0},
        {
            "node": "t1",
            "role": "tracker",
            "pid": 0,
            "running": False,
            "restarts": 2,
            "back_off_s": 1.5,
            "cause": "killed by SIGKILL",
        },
    ],
}


def test_without_a_rig_it_says_how_to_start_one(run: Any) -> None:
    assert "zbus up RIG.TOML" in run("ps").output
    assert json.loads(run("ps", "--json").output) == {"rigs": []}


def test_each_process_is_a_line(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ps, "find_supervisors", lambda: [RIG])
    rig, camera, tracker = run("ps").output.splitlines()
    assert rig == "lab  supervisor 5  directory tcp://127.0.0.1:5550"
    assert camera.split() == ["cam1", "camera", "6", "up", "3", "s"]
    assert tracker.endswith("down, again in 1.5 s, restarted 2 times (killed by SIGKILL)")


def test_the_nodes_of_other_hosts_are_lines_too(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"node": "cam1", "role": "camera", "host": "left", "pid": 6, "session": "a"}
    there = {"node": "t1", "role": "tracker", "host": "right", "pid": 7, "session": "b", "endpoints": []}
    monkeypatch.setattr(_ps, "find_supervisors", lambda: [RIG | {"host": "left", "children": []}])
    monkeypatch.setattr(_ps.Requester, "request", lambda *_, **__: {"nodes": [here, there]})
    rig, tracker = run("ps").output.splitlines()
    assert rig == "lab  host left  supervisor 5  directory tcp://127.0.0.1:5550"
    assert tracker.split() == ["t1", "tracker", "7", "on", "right"]
    (shown,) = json.loads(run("ps", "--json").output)["rigs"]
    assert [node["node"] for node in shown["elsewhere"]] == ["t1"]


def test_a_broker_that_does_not_answer_hides_no_process(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ps, "ASK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(_ps, "find_supervisors", lambda: [RIG | {"host": "left"}])
    monkeypatch.setitem(RIG, "directory", "tcp://127.0.0.1:1")
    assert len(run("ps").output.splitlines()) == 3
