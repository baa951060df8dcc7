"""Overlays: two encodings of one form, strangers at the door, and the live set."""

import json

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import (
    LIFETIME_DEFAULT_S,
    Origin,
    Overlay,
    OverlaySet,
    Topic,
    decode_message,
    decode_overlay_set,
    decode_overlays,
    encode_message,
    parse_overlay,
)

PLACES = st.integers(-1_000_000, 1_000_000) | st.floats(-1e6, 1e6)
POINTS = st.lists(PLACES, min_size=2, max_size=2)
TEXTS = st.text(max_size=64)
FORMS = st.one_of(
    st.fixed_dictionaries({"DRAW_BOX": st.fixed_dictionaries({"TOP_LEFT": POINTS, "BOTTOM_RIGHT": POINTS})}),
    st.fixed_dictionaries({"DRAW_LINE": st.fixed_dictionaries({"FROM": POINTS, "TO": POINTS})}),
    st.fixed_dictionaries(
        {"DRAW_CIRCLE": st.fixed_dictionaries({"CENTER": POINTS, "RADIUS": st.floats(0, 1e6)})}
    ),
    st.fixed_dictionaries(
        {"DRAW_POLYGON": st.fixed_dictionaries({"POINTS": st.lists(POINTS, min_size=2, max_size=9)})}
    ),
    st.fixed_dictionaries({"DRAW_TEXT": st.fixed_dictionaries({"AT": POINTS, "TEXT": TEXTS})}),
)
EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "camera": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
        "id": TEXTS,
        "label": TEXTS,
        "color": st.lists(st.integers(0, 255), min_size=3, max_size=3),
        "lifetime_s": st.floats(0, 60),
    },
)


@given(FORMS, EXTRAS)
@settings(max_examples=150)
def test_json_and_msgpack_say_the_same(form, extras):
    form = form | extras
    expected = [parse_overlay(form)]
    assert decode_overlays(json.dumps(form).encode()) == expected
    assert decode_overlays(json.dumps(form, ensure_ascii=False).encode()) == expected
    assert decode_overlays(msgpack.packb(form)) == expected
    assert decode_overlays(msgpack.packb([form, form])) == expected * 2


@given(st.lists(st.tuples(FORMS, EXTRAS), max_size=5))
@settings(max_examples=100)
def test_a_live_set_comes_back(pairs):
    shapes = tuple(parse_overlay(form | extras | {"lifetime_s": 0.5}) for form, extras in pairs)
    sent = OverlaySet("cam1", shapes)
    parts = encode_message(Topic("overlay", "cam1"), Origin("o", "s", 0, 0), sent)
    assert decode_overlay_set(decode_message(parts)) == sent


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@settings(max_examples=500)
def test_arbitrary_bytes_raise_nothing_but_wire_errors(data):
    try:
        decode_overlays(data)
    except WireError as error:
        assert len(str(error)) < 1_000


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("DRAW_BOX", "DRAW_POLYGON", "DRAW_TEXT", "CLEAR", "camera", "id", "label", "color", "lifetime_s")
INNER = ("TOP_LEFT", "BOTTOM_RIGHT", "POINTS", "AT", "TEXT")
LOOKALIKES = st.dictionaries(
    st.sampled_from(KEYS), ANY | POINTS | st.dictionaries(st.sampled_from(INNER), ANY | POINTS), max_size=4
)


@given(LOOKALIKES | ANY)
@settings(max_examples=500)
def test_whatever_looks_like_an_overlay_raises_nothing_but_wire_errors(form):
    try:
        parse_overlay(form)
    except WireError as error:
        assert len(str(error)) < 1_000


def test_draw_rect_is_draw_box():
    corners = {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}
    assert parse_overlay({"DRAW_RECT": corners}) == parse_overlay({"DRAW_BOX": corners})


def test_whole_coordinates_stay_whole():
    geometry = parse_overlay({"DRAW_LINE": {"FROM": [1, 2.5], "TO": [3, 4]}}).geometry
    assert [type(number) for number in geometry["FROM"]] == [int, float]


def test_unknown_keys_of_the_geometry_are_left_out():
    form = {"DRAW_TEXT": {"AT": [1, 2], "TEXT": "a", "FONT": "x"}}
    assert parse_overlay(form).geometry == {"AT": [1, 2], "TEXT": "a"}


def test_the_form_it_travels_in_is_complete():
    assert Overlay("CLEAR", {}).to_map() == {
        "CLEAR": {},
        "id": "",
        "color": [255, 0, 0],
        "lifetime_s": LIFETIME_DEFAULT_S,
    }
    assert Overlay("CLEAR", {}, lifetime_s=5.0).to_map(0.25)["lifetime_s"] == 0.25


def test_half_a_character_cannot_poison_the_live_set():
    with pytest.raises(WireError, match="half a character"):
        decode_overlays(b'{"DRAW_TEXT": {"AT": [0, 0], "TEXT": "\\udc00"}}')


def test_a_set_past_its_limit_is_not_sent():
    with pytest.raises(WireError, match="out_of_range"):
        OverlaySet("cam1", (Overlay("CLEAR", {}),) * 257).header()
