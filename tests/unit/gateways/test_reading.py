from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from zbus.gateways._view import BusView

from .messages import event, overlay, state, tracks


@pytest.fixture
def read(ask: Callable[..., Any]) -> Callable[[str], tuple[int, Any]]:
    def get(path: str) -> tuple[int, Any]:
        response = asyncio.run(ask(path))
        return response.status_code, response.json()

    return get


def test_nodes_and_cameras(view: BusView, read: Callable[[str], tuple[int, Any]]) -> None:
    view.hear(state("cam1"))
    view.hear(state("tracker1", role="tracker", name="degraded", cause="slow"))
    nodes = read("/v1/nodes")[1]["nodes"]
    assert [(node["node"], node["state"], node["cause"]) for node in nodes] == [
        ("cam1", "running", ""),
        ("tracker1", "degraded", "slow"),
    ]
    assert [camera["camera"] for camera in read("/v1/cameras")[1]["cameras"]] == ["cam1"]


def test_a_node_that_the_directory_lost_is_shown_as_lost(
    view: BusView, read: Callable[[str], tuple[int, Any]]
) -> None:
    view.hear(state("cam1"))
    view.hear(event("directory", "node_lost", node="cam1", replaced=True))
    assert read("/v1/cameras")[1]["cameras"][0]["state"] == "running"
    view.hear(event("cam2", "node_lost", node="cam1", replaced=False))
    assert read("/v1/cameras")[1]["cameras"][0]["state"] == "running"
    view.hear(event("directory", "node_lost", node="cam1", replaced=False))
    assert read("/v1/cameras")[1]["cameras"][0]["state"] == "lost"


def test_a_node_that_left_is_shown_as_stopped(view: BusView, read: Callable[[str], tuple[int, Any]]) -> None:
    view.hear(state("cam1"))
    view.hear(event("directory", "node_left", node="cam1", session="s", replaced=False))
    assert read("/v1/cameras")[1]["cameras"][0]["state"] == "stopped"


def test_tracks_are_the_newest_of_each_tracker(view: BusView, read: Callable[[str], tuple[int, Any]]) -> None:
    view.hear(state("cam1"))
    assert read("/v1/tracks/cam1") == (200, {"camera": "cam1", "tracks": []})
    for heard in (
        tracks("cam1", 1),
        tracks("cam1", 2),
        tracks("cam1", 2, source="t2"),
        tracks("cam2", 3, source="t3"),
    ):
        view.hear(heard)
    told = read("/v1/tracks/cam1")[1]["tracks"]
    assert [(each["source"], each["frame_number"]) for each in told] == [("tracker1", 2), ("t2", 2)]


def test_overlays_are_what_is_alive(view: BusView, read: Callable[[str], tuple[int, Any]]) -> None:
    view.hear(state("cam1"))
    assert read("/v1/overlays/cam1")[1]["shapes"] == []
    view.hear(overlay("cam1", lifetime_s=60))
    (shape,) = read("/v1/overlays/cam1")[1]["shapes"]
    assert shape["label"] == "nest"
    assert 50 < shape["lifetime_s"] <= 60


@pytest.mark.parametrize(
    "path",
    ["/v1/tracks/cam9", "/v1/overlays/cam9", "/v1/cameras/cam9/snapshot.jpg", "/v1/cameras/cam9/stream.mjpg"],
)
def test_an_unknown_camera_is_answered_with_those_that_are_known(
    view: BusView, read: Callable[[str], tuple[int, Any]], path: str
) -> None:
    view.hear(state("cam1"))
    status, told = read(path)
    assert status == 404
    assert told["error"]["code"] == "unknown_name"
    assert "cam1" in told["error"]["cause"]


def test_health_tells_whether_the_bus_is_heard(view: BusView, read: Callable[[str], tuple[int, Any]]) -> None:
    assert read("/v1/health")[1]["bus"] == "silent"
    view.hear(state("directory", role="broker"))
    told = read("/v1/health")[1]
    assert (told["bus"], told["nodes"], told["cameras"], told["viewers"]) == ("heard", 1, 0, 0)
    assert told["exposed"] is False


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/v1/nowhere", 404)])
def test_other_errors_have_the_same_form(
    read: Callable[[str], tuple[int, Any]], path: str, status: int
) -> None:
    assert read(path)[0] == status
    assert read(path)[1]["error"]["code"] == "not_found"


def test_a_failure_tells_nothing_of_its_inside(
    view: BusView, read: Callable[[str], tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("secret")

    monkeypatch.setattr(view, "nodes", fail)
    status, told = read("/v1/nodes")
    assert status == 500
    assert "secret" not in str(told)


def test_the_page_and_its_parts_are_served(ask: Callable[..., Any]) -> None:
    page = asyncio.run(ask("/"))
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text
    assert " style=" not in page.text
    script = asyncio.run(ask("/static/main.js"))
    assert "javascript" in script.headers["content-type"]
    assert asyncio.run(ask("/static/../_app.py")).status_code == 404
    assert asyncio.run(ask("/openapi.json")).json()["info"]["title"] == "zbus gateway"
