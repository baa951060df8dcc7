from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest

from zbus.config import OverlayPlan
from zbus.errors import AddressInUse, ExposedAddress
from zbus.nodes import run_overlay
from zbus.transport import Publisher, Pusher, Requester
from zbus.wire import STATE, State, Topic

BOX = {"DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}}


@pytest.fixture
def door(plan: Any, start: Any, listener: Any) -> Iterator[Pusher]:
    """The door of an overlay node that knows one camera."""
    start(lambda reactor: run_overlay(OverlayPlan("tcp://127.0.0.1:0"), plan, reactor))
    with Publisher("cam1", connect=[plan.publish]) as camera:
        listener.until(lambda: listener.state_of("overlay") == "running")
        listener.until(lambda: camera.wants(Topic(STATE, "cam1")))
        camera.send(Topic(STATE, "cam1"), State("camera", "running", 1, "h", 1))
        listener.until(lambda: listener.states["overlay"].details["cameras"] == ["cam1"])
        with Pusher(listener.states["overlay"].details["door"]) as pusher:
            yield pusher


def test_boxes_come_back_by_id_and_expire(door: Pusher, listener: Any) -> None:
    assert door.send(json.dumps({**BOX, "id": "a", "lifetime_s": 0.5}).encode(), timeout_s=20)
    assert door.send(msgpack.packb({**BOX, "id": "b", "camera": "cam1", "lifetime_s": 0.5}), timeout_s=20)
    seen: set[str] = set()

    def both() -> bool:
        seen.update(shape.id for overlays in list(listener.overlays) for shape in overlays.shapes)
        return seen >= {"a", "b"}

    listener.until(both)
    listener.until(lambda: not listener.overlays[-1].shapes)
    assert {overlays.camera for overlays in listener.overlays} == {"cam1"}


def test_garbage_is_counted_by_reason_and_told_once_on_one_line(
    door: Pusher, listener: Any, caplog: Any
) -> None:
    for data in (b"{", b"\xff\n\n", b'{"DRAW_STAR": {"A\\nB": 1}}', b""):
        door.send(data, timeout_s=20)
    listener.until(lambda: listener.counter("overlay", "refused") == 4)
    told = [
        record.getMessage() for record in caplog.records if "an overlay was refused" in record.getMessage()
    ]
    assert len(told) == 1
    assert "\n" not in told[0]


def test_what_a_message_means_that_names_nothing_can_be_configured(
    plan: Any, door: Pusher, listener: Any
) -> None:
    with Requester(plan.directory) as requester:
        done = requester.request("configure", {"settings": {"id": "only"}}, target="overlay", timeout_s=20)
    assert done["settings"]["id"] == "only"
    door.send(json.dumps(BOX).encode(), timeout_s=20)
    listener.until(
        lambda: any(shape.id == "only" for each in list(listener.overlays) for shape in each.shapes)
    )


def test_a_door_that_cannot_be_opened_is_an_error(plan: Any, start: Any, free_endpoint: Any) -> None:
    taken = free_endpoint()
    start(lambda reactor: run_overlay(OverlayPlan(taken), plan, reactor))
    second = start(lambda reactor: run_overlay(OverlayPlan("tcp://0.0.0.0:0"), plan, reactor))
    second.join()
    assert isinstance(second.error, ExposedAddress)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        third = start(lambda reactor: run_overlay(OverlayPlan(address), plan, reactor))
        third.join()
    assert isinstance(third.error, AddressInUse)
