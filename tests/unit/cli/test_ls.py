from __future__ import annotations

import json
from typing import Any

import pytest

from zbus.cli import _ls


def test_an_empty_bus_says_how_to_fill_it(run: Any, at: list[str], broker: Any) -> None:
    assert "zbus camera sim" in run("ls", *at).output
    told = json.loads(run("ls", *at, "--json").output)
    assert (told["nodes"], told["endpoints"]["publish"]) == ([], broker.publish)


def test_what_nodes_say_of_themselves_cannot_steer_the_terminal(
    run: Any, at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {
        "node": "cam1",
        "role": "camera\x1b[2J",
        "host": "h\nx",
        "pid": 7,
        "duplicate": True,
        "publishes": ["frame/cam1/"],
        "endpoints": ["ipc:///x"],
    }

    class Asked:
        def __init__(self, directory: str) -> None: ...
        def __enter__(self) -> Asked:
            return self

        def __exit__(self, *_: object) -> None: ...
        def request(self, verb: str, timeout_s: float) -> Any:
            return {"nodes": [node], "left_out": 3} if verb == "nodes" else {"publish": "tcp://x:1"}

    monkeypatch.setattr(_ls, "Requester", Asked)
    output = run("ls", *at).output
    assert "\x1b" not in output
    assert "camera\\x1b[2J" in output
    assert "TWICE" in output
    assert "    at ipc:///x" in output
    assert "and 3 more" in output


def test_without_a_broker_it_says_so_and_what_to_start(
    fail: Any, free_endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ls, "TIMEOUT_S", 0.1)
    told = fail("ls", "--directory", free_endpoint(), ends_with=6)
    assert told["code"] == "timeout"
    assert "zbus broker" in told["next_step"]


def test_an_address_that_is_none(fail: Any) -> None:
    assert fail("ls", "--directory", "foo", ends_with=3)["code"] == "bad_config"
