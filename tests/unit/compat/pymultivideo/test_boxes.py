import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.compat.pymultivideo._boxes import MESSAGES_PER_PULL_MAX, BoxReader, pack_overlays
from zbus.wire import OVERLAY_MAX_BYTES, SHAPES_MAX_PER_CAMERA, Overlay, decode_overlays


def box(x1: int, y1: int, x2: int, y2: int, verb: str = "DRAW_BOX", **more: Any) -> dict[str, Any]:
    return {verb: {"TOP_LEFT": [x1, y1], "BOTTOM_RIGHT": [x2, y2]}, **more}


def dump(message: Any) -> bytes:
    return json.dumps(message).encode()


@pytest.fixture
def reader() -> BoxReader:
    reader = BoxReader("cam1", pull_rate=10.0)
    reader.size_px = (100, 80)
    return reader


@pytest.mark.parametrize("pack", [dump, msgpack.packb])
@pytest.mark.parametrize("verb", ["DRAW_BOX", "DRAW_RECT"])
def test_a_box_is_red_over_this_camera_and_lives_one_and_a_half_periods(
    reader: BoxReader, verb: str, pack: Any
) -> None:
    reader.offer([pack(box(1, 2, 3, 4, verb))])
    (overlay,) = reader.take()
    assert overlay.verb == "DRAW_BOX"
    assert overlay.geometry == {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}
    assert (overlay.camera, overlay.id, overlay.color) == ("cam1", "pymultivideo", (255, 0, 0))
    assert overlay.lifetime_s == pytest.approx(0.15)
    assert reader.take() == []


def test_only_the_newest_box_of_a_period_counts(reader: BoxReader) -> None:
    reader.offer([dump(box(0, 0, x, 9)) for x in range(1, 60)])
    (overlay,) = reader.take()
    assert overlay.geometry["BOTTOM_RIGHT"] == [59, 9]
    assert reader.superseded == 58


def test_of_a_flood_the_newest_messages_are_kept(reader: BoxReader) -> None:
    reader.offer([dump(box(0, 0, 1, 1))])
    reader.offer([dump(box(0, 0, 2, 2))] * (2 * MESSAGES_PER_PULL_MAX))
    reader.offer([dump(box(0, 0, 3, 3))])
    (overlay,) = reader.take()
    assert overlay.geometry["BOTTOM_RIGHT"] == [3, 3]
    assert reader.received == 2 * MESSAGES_PER_PULL_MAX + 2
    assert reader.superseded == reader.received - 1


@pytest.mark.parametrize(
    "corners", [(-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 100, 5), (0, 0, 5, 80), (200, 0, 5, 5)]
)
def test_a_box_with_a_corner_outside_is_ignored(
    reader: BoxReader, corners: tuple[int, int, int, int]
) -> None:
    reader.offer([dump(box(*corners)), dump(box(0, 0, 99, 79))])
    (overlay,) = reader.take()
    assert overlay.geometry["BOTTOM_RIGHT"] == [99, 79]
    assert reader.ignored == 1


def test_without_a_picture_there_is_nothing_to_draw_on() -> None:
    reader = BoxReader("cam1", 10.0)
    reader.offer([dump(box(0, 0, 1, 1))])
    assert (reader.take(), reader.ignored) == ([], 1)


def test_many_boxes_with_names_stand_side_by_side(reader: BoxReader) -> None:
    named = box(1, 1, 5, 5, id="a", label="nose", color=[0, 255, 0], lifetime_s=3.0)
    reader.offer(
        [dump(named), dump(box(2, 2, 6, 6, id="b")), dump(box(3, 3, 7, 7)), dump({"CLEAR": {}, "id": "b"})]
    )
    first, second, third = reader.take()
    assert (first.id, first.label, first.color, first.lifetime_s) == ("a", "nose", (0, 255, 0), 3.0)
    assert second.id == "pymultivideo"
    assert (third.verb, third.id) == ("CLEAR", "b")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\x00\xff", b'{"DRAW_BOX": 3}', b'{"DRAW": {}}', b"[1]", dump(box(1, 2, 3, 4))[:-2]]
)
def test_what_is_malformed_is_counted_by_reason(reader: BoxReader, data: bytes) -> None:
    reader.offer([data, dump(box(1, 1, 2, 2))])
    assert len(reader.take()) == 1
    assert reader.malformed.total() == 1
    assert all(reader.malformed)
    assert reader.last_error


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_message_raises(messages: list[bytes]) -> None:
    reader = BoxReader("cam1", 10.0)
    reader.size_px = (10, 10)
    reader.offer(messages)
    reader.take()
    assert reader.received == len(messages)


def test_ids_beyond_what_a_camera_may_hold_lose_their_oldest(reader: BoxReader) -> None:
    batch = [box(0, 0, 1, 1, id=f"b{number}") for number in range(200)]
    others = [box(0, 0, 1, 1, id=f"c{number}") for number in range(200)]
    reader.offer([dump(batch), dump(others)])
    taken = reader.take()
    assert len(taken) == SHAPES_MAX_PER_CAMERA
    assert taken[-1].id == "c199"
    assert reader.superseded == 400 - SHAPES_MAX_PER_CAMERA


def test_what_is_packed_is_what_the_rigs_door_reads() -> None:
    points = [[12345.678901, 98765.432101]] * 256
    overlays = [
        Overlay("DRAW_POLYGON", {"POINTS": points}, "cam1", f"p{number}", "\u1234" * 256, lifetime_s=1.0)
        for number in range(40)
    ]
    messages = pack_overlays(overlays)
    assert 1 < len(messages) < 40
    assert all(len(message) <= OVERLAY_MAX_BYTES for message in messages)
    assert [overlay for message in messages for overlay in decode_overlays(message)] == overlays
    assert pack_overlays([]) == []
