from __future__ import annotations

import json
from typing import Any

import pytest

from zbus.cli import _ls
from zbus.errors import RequestRefused

PLACES = {"directory": "tcp://127.0.0.1:5550", "publish": "tcp://x:1"}


def node(name: str = "cam1", **more: Any) -> dict[str, Any]:
    return {
        "node": name,
        "role": "camera",
        "host": "rig1",
        "pid": 7,
        "duplicate": False,
        "publishes": [f"frame/{name}/"],
        "endpoints": [],
        "rates": {},
        **more,
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A directory, and nodes, that answer what a test puts here."""
    answers: dict[str, Any] = {"endpoints": PLACES}

    class Asked:
        def __init__(self, directory: str, key: object) -> None: ...
        def __enter__(self) -> Asked:
            return self

        def __exit__(self, *_: object) -> None: ...
        def request(self, verb: str, *, target: str = "directory", timeout_s: float = 0) -> Any:
            key = verb if target == "directory" else f"{target} {verb}"
            if key not in answers:
                raise RequestRefused("unknown_node", f"nobody answers {key}")
            return answers[key]

    monkeypatch.setattr(_ls, "Requester", Asked)
    return answers


def test_an_empty_bus_says_how_to_fill_it(run: Any, at: list[str], broker: Any) -> None:
    assert "zbus camera sim" in run("ls", *at).output
    told = json.loads(run("ls", *at, "--json").output)
    assert (told["nodes"], told["endpoints"]["publish"]) == ([], broker.publish)
    (host,) = told["hosts"]
    assert (host["here"], host["nodes"], host["clock"]["offset_us"]) == (True, 0, 0)


def test_what_nodes_say_of_themselves_cannot_steer_the_terminal(
    run: Any, at: list[str], asked: dict[str, Any]
) -> None:
    odd = node(role="camera\x1b[2J", host="h\nx", duplicate=True, endpoints=["ipc:///x"])
    asked["nodes"] = {"nodes": [odd], "left_out": 3}
    output = run("ls", *at).output
    assert "\x1b" not in output
    assert "camera\\x1b[2J" in output
    assert "h\\nx" in output
    assert "TWICE" in output
    assert "      at ipc:///x" in output
    assert "and 3 more" in output


def test_nodes_stand_under_their_hosts_with_the_rates_of_their_topics(
    run: Any, at: list[str], asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "left")
    far = node("cam2", host="right", publishes=["frame/cam2/", "event/cam2/"], rates={"frame/cam2/": 29.97})
    relay = node("relay.left", role="relay", host="left", publishes=[])
    asked["nodes"] = {"nodes": [node("cam1", host="left"), far, relay], "left_out": 0}
    clock = {"offset_ns": -1_500_000, "error_ns": 40_000, "rtt_ns": 80_000}
    asked["relay.left status"] = {"details": {"hosts": {"right": {"from": {"clock": clock}}}}}
    lines = [" ".join(line.split()) for line in run("ls", *at).output.splitlines()]
    assert lines[2:] == [
        "left this host, clock 0",
        "cam1 camera pid 7",
        "frame/cam1/",
        "relay.left relay pid 7",
        "",
        "right monotonic clock -1.500 ms, known to 0.040 ms",
        "cam2 camera pid 7",
        "frame/cam2/ 30.0 Hz",
        "event/cam2/",
    ]
    told = json.loads(run("ls", *at, "--json").output)["hosts"]
    assert told[1] == {
        "host": "right",
        "here": False,
        "nodes": 1,
        "clock": {"offset_us": -1500, "error_us": 40, "rtt_us": 80},
    }


def test_a_list_of_a_directory_before_rates_is_shown(run: Any, at: list[str], asked: dict[str, Any]) -> None:
    old = node()
    del old["rates"]
    asked["nodes"] = {"nodes": [old]}
    assert "frame/cam1/" in run("ls", *at).output


def test_finding_rigs_asks_no_directory(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[float, bool]] = []
    monkeypatch.setattr(_ls, "show_found", lambda *told: found.append(told))
    for words in (["--find"], ["--find", "7"], ["--find", "--json"]):
        run("ls", "--directory", "tcp://127.0.0.1:1", *words)
    assert found == [(2.5, False), (7.0, False), (2.5, True)]
    run("ls", "--find", "0", ends_with=2)
    run("ls", "--find", "nan", ends_with=2)


def test_without_a_broker_it_says_so_and_what_to_start(
    fail: Any, free_endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ls, "TIMEOUT_S", 0.1)
    told = fail("ls", "--directory", free_endpoint(), ends_with=6)
    assert told["code"] == "timeout"
    assert "zbus broker" in told["next_step"]


def test_an_address_that_is_none(fail: Any) -> None:
    assert fail("ls", "--directory", "foo", ends_with=3)["code"] == "bad_config"
