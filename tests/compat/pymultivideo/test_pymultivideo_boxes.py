"""Rows M2, M3, M4, M9: what clients push is seen over the camera, and for as long as they expect."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgpack
import pytest
import zmq
from pymultivideo_rig import ANY_PORT, DEADLINE_S, Rig

from zbus.errors import AddressInUse
from zbus.transport import Puller, Requester

RED = (255, 0, 0)
SENDER_HZ = 30.0


def box(x1: int, y1: int, x2: int, y2: int, verb: str = "DRAW_BOX", **more: Any) -> dict[str, Any]:
    return {verb: {"TOP_LEFT": [x1, y1], "BOTTOM_RIGHT": [x2, y2]}, **more}


@contextmanager
def pushing(address: str) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context.instance().socket(zmq.PUSH) as pusher:
        pusher.setsockopt(zmq.LINGER, 0)
        pusher.connect(address)
        yield pusher


def seen(rig: Rig) -> list[list[list[int]]]:
    """The corners of every set of boxes that was on the bus, one after the other."""
    return [
        [list(corner) for corner in shape.geometry.values()] for shapes in rig.overlays for shape in shapes
    ]


def until_seen(rig: Rig, corners: list[list[int]]) -> None:
    rig.until(lambda: corners in seen(rig))


@pytest.fixture(params=["own", "shared"])
def address(request: pytest.FixtureRequest, rig: Rig) -> str:
    """Where clients push: to the front-end itself, or to the rig's door that holds its address."""
    rig.camera()
    rig.overlay_node()
    rig.serve(pull_address=rig.door() if request.param == "shared" else ANY_PORT)
    address = rig.front_end()["pull_address"]
    assert (address == rig.door()) is (request.param == "shared")
    if request.param == "shared":
        rig.until(lambda: rig.states["overlay"].settings["id"] == "pymultivideo")
    return address


def test_a_box_is_red_replaced_by_the_next_and_gone_soon_after(rig: Rig, address: str) -> None:
    with pushing(address) as pusher:
        pusher.send_json(box(1, 2, 30, 40))
        until_seen(rig, [[1, 2], [30, 40]])
        (shape,) = next(shapes for shapes in rig.overlays if shapes)
        assert (shape.color, shape.id) == (RED, "pymultivideo")
        assert 0 < (shape.lifetime_s or 0) <= 0.15
        rig.until(lambda: rig.overlays[-1] == ())
        pusher.send(bytes(msgpack.packb(box(5, 6, 50, 60, "DRAW_RECT")) or b""))
        until_seen(rig, [[5, 6], [50, 60]])
    assert max(map(len, rig.overlays)) == 1
    rig.until(lambda: rig.overlays[-1] == ())


def test_a_box_lives_as_long_as_the_pull_rate_says(rig: Rig) -> None:
    rig.camera()
    rig.overlay_node()
    rig.serve(pull_rate=2.0)
    with pushing(rig.front_end()["pull_address"]) as pusher:
        pusher.send_json(box(1, 2, 30, 40))
        until_seen(rig, [[1, 2], [30, 40]])
    (shape,) = next(shapes for shapes in rig.overlays if shapes)
    assert 0.15 < (shape.lifetime_s or 0) <= 0.75
    rig.until(lambda: rig.overlays[-1] == ())


def test_a_box_with_a_corner_outside_is_ignored(rig: Rig, address: str) -> None:
    with pushing(address) as pusher:
        for corners in [(0, 0, 160, 5), (0, 0, 5, 120), (-1, 0, 5, 5), (500, 500, 600, 600)]:
            pusher.send_json(box(*corners))
        rig.until(lambda: ignored(rig) == 4)
        pusher.send_json(box(0, 0, 159, 119))
        until_seen(rig, [[0, 0], [159, 119]])
    assert seen(rig) == [[[0, 0], [159, 119]]] * len(seen(rig))


def test_nothing_that_is_pushed_ends_the_door(rig: Rig, address: str) -> None:
    junk = [
        b"",
        b"{",
        b"\xff" * 50,
        b'{"DRAW_BOX": 1}',
        b"[[[]]]",
        json.dumps({"DRAW": {}}).encode(),
        b"\0" * 60_000,
    ]
    with pushing(address) as pusher:
        for data in junk:
            pusher.send(data)
        pusher.send_multipart([b"image", b"{}"])
        rig.until(lambda: refused(rig) == len(junk))
        pusher.send_json(box(1, 1, 9, 9))
        until_seen(rig, [[1, 1], [9, 9]])


def test_many_boxes_with_names_labels_and_lifetimes(rig: Rig, address: str) -> None:
    with pushing(address) as pusher:
        named = [
            box(n, n, n + 9, n + 9, id=f"rat{n}", label="rat", color=[0, n, 0], lifetime_s=30)
            for n in range(9)
        ]
        pusher.send_json(named)
        pusher.send_json(box(0, 0, 5, 5))
        rig.until(lambda: any(len(shapes) == 10 for shapes in rig.overlays))
        rig.until(lambda: len(rig.overlays[-1]) == 9)
    assert [(shape.id, shape.label, shape.color) for shape in rig.overlays[-1]] == [
        (f"rat{n}", "rat", (0, n, 0)) for n in range(9)
    ]


def test_of_a_burst_only_the_newest_box_is_drawn(rig: Rig, address: str) -> None:
    with pushing(address) as pusher:
        for y in range(110):
            pusher.send_json(box(0, y, 100, y + 1))
        until_seen(rig, [[0, 109], [100, 110]])
    assert len({str(corners) for corners in seen(rig)}) <= 20


def test_a_sender_three_times_as_fast_as_the_pull_rate_does_not_lag(rig: Rig) -> None:
    rig.camera()
    rig.overlay_node()
    rig.serve()
    sent = 0
    with pushing(rig.front_end()["pull_address"]) as pusher:
        while sent < 60:
            pusher.send_json(box(sent, 1, sent + 1, 2))
            sent += 1
            rig.pass_time(1 / SENDER_HZ)
        until_seen(rig, [[59, 1], [60, 2]])
    # Why: a door that takes one box a tick, in order, would draw all 60.
    drawn = [corners[0][0] for corners in seen(rig)]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) < 45


def test_the_largest_dark_thing_of_a_picture_is_boxed(rig: Rig) -> None:
    rig.camera(animals=1)
    rig.overlay_node()
    rig.serve()
    boxes = rig.run_client("blob_client.py", rig.front_end(), 10)
    assert len(boxes) == 10
    printed = [[each["TOP_LEFT"], each["BOTTOM_RIGHT"]] for each in boxes]
    rig.until(lambda: bool(seen(rig)))
    assert all(corners in printed for corners in seen(rig))
    rig.until(lambda: all(each["timestamp"] in rig.frames for each in boxes))
    for each in boxes:
        (x1, y1), (x2, y2) = each["TOP_LEFT"], each["BOTTOM_RIGHT"]
        image = rig.frames[each["timestamp"]].image
        assert image[y1 : y2 + 1, x1 : x2 + 1].mean() < 0.8 * image.mean()


def test_boxes_without_an_overlay_node_are_counted_until_there_is_one(rig: Rig) -> None:
    rig.camera()
    rig.serve()
    address = rig.front_end()["pull_address"]
    with pushing(address) as pusher:
        pusher.send_json(box(1, 1, 2, 2))
        rig.until(lambda: rig.counter("undelivered") == 1)
        rig.overlay_node()
        rig.front_end()
        pusher.send_json(box(1, 1, 2, 2))
        until_seen(rig, [[1, 1], [2, 2]])


def test_the_rigs_door_gets_its_own_meaning_back(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.camera()
    rig.overlay_node()
    door = rig.door()
    rig.until(lambda: "overlay" in node_names(rig))
    before = meaning(rig)
    front_end = rig.serve(pull_address=door)
    rig.front_end()
    rig.until(lambda: meaning(rig)["camera"] == "cam1")
    front_end.stop()
    assert meaning(rig) == before
    assert [door in record.getMessage() for record in caplog.records if "overlay door" in record.msg] == [
        True
    ]


def test_the_rigs_door_is_told_again_after_a_restart(rig: Rig) -> None:
    rig.camera()
    node = rig.overlay_node()
    door = rig.door()
    rig.serve(pull_address=door.replace("127.0.0.1", "localhost"))
    rig.front_end()
    node.stop()
    rig.overlay_node(door)
    rig.until(lambda: rig.counter("door_configured") >= 2)
    with pushing(door) as pusher:
        pusher.send_json(box(3, 3, 4, 4))
        until_seen(rig, [[3, 3], [4, 4]])


def test_one_door_serves_one_camera(rig: Rig) -> None:
    rig.camera("cam1")
    rig.camera("cam2")
    rig.overlay_node()
    rig.serve("cam1", pull_address=rig.door())
    rig.front_end("cam1")
    rig.until(lambda: meaning(rig)["camera"] == "cam1" and "pymultivideo-cam1" in node_names(rig))
    second = rig.serve("cam2", pull_address=rig.door())
    second.join()
    assert isinstance(second.error, AddressInUse)
    assert "--pull-address" in second.error.next_step


def test_an_address_that_a_stranger_holds_is_named(rig: Rig) -> None:
    rig.camera()
    rig.overlay_node()
    with Puller(ANY_PORT) as stranger:
        front_end = rig.serve(pull_address=stranger.endpoint)
        front_end.join()
        assert isinstance(front_end.error, AddressInUse)
        assert front_end.error.endpoint == stranger.endpoint


def meaning(rig: Rig) -> dict[str, Any]:
    """What the rig's door takes a message for that names nothing."""
    with Requester(rig.broker.directory) as requester:
        return dict(requester.request("status", target="overlay", timeout_s=DEADLINE_S)["settings"])


def node_names(rig: Rig) -> set[str]:
    with Requester(rig.broker.directory) as requester:
        return {node["node"] for node in requester.request("nodes")["nodes"]}


def ignored(rig: Rig) -> float:
    """How many boxes either door ignored because of where they are."""
    return rig.counter("ignored") + door_counters(rig).get("refused_outside_picture", 0)


def refused(rig: Rig) -> float:
    """How many single parts either door could not read."""
    own = rig.counter("malformed") - rig.counter("malformed_wrong_part_count")
    return own + sum(count for name, count in door_counters(rig).items() if name.startswith("refused_"))


def door_counters(rig: Rig) -> Mapping[str, float]:
    return rig.states["overlay"].counters
