"""Vectors of the overlay door and of overlay sets (spec 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from making.forms import NAN, ORIGIN, Fields, Vector, describe, message, refused, valid, without
from making.packing import (
    array16,
    array32,
    ext8,
    f32,
    map16,
    map32,
    mapping,
    nested,
    pack,
    str8,
    u64,
)

BOX: Fields = {"TOP_LEFT": [10, 20], "BOTTOM_RIGHT": [110, 220]}


def shape(verb: str, geometry: Fields, **changes: Any) -> Fields:
    """How a reader sees one overlay."""
    defaults = {"camera": "", "id": "", "label": "", "color": [255, 0, 0], "lifetime_s": None}
    return {"verb": verb, "geometry": geometry, **defaults, **changes}


EVERY_KEY = {
    "camera": "cam1",
    "id": "mouse-1",
    "label": "Mäuschen 🐁",
    "color": [0, 128, 255],
    "lifetime_s": 2.5,
}
SISTERS: dict[str, Fields] = {
    "DRAW_CIRCLE": {"CENTER": [5, 6.5], "RADIUS": 7.0},
    "DRAW_LINE": {"FROM": [-1, -2], "TO": [3, 4]},
    "DRAW_POLYGON": {"POINTS": [[0, 0], [10, 0], [0, 10]]},
    "DRAW_TEXT": {"AT": [3, 4], "TEXT": "left arm"},
    "CLEAR": {},
}


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def door_vectors() -> Iterator[Vector]:
    yield from door_valid()
    yield from door_refused()
    yield from door_refused_forms()


def door_valid() -> Iterator[Vector]:
    box = [shape("DRAW_BOX", BOX)]
    form = {"DRAW_BOX": BOX}
    for name, data in {
        "a box as JSON": dumps(form),
        "a box as msgpack": pack(form),
        "DRAW_RECT is DRAW_BOX, as JSON": dumps({"DRAW_RECT": BOX}),
        "DRAW_RECT is DRAW_BOX, as msgpack": pack({"DRAW_RECT": BOX}),
        "JSON with whitespace": b"\r\n\t " + json.dumps(form, indent=2).encode() + b"\n",
        "JSON with a byte order mark": b"\xef\xbb\xbf" + dumps(form),
        "JSON without any space": json.dumps(form, separators=(",", ":")).encode(),
        "JSON with a key twice: the last one wins": b'{"DRAW_BOX": 5, ' + dumps(form)[1:],
        "JSON with unknown keys": dumps(form | {"thickness": 9, "DRAW_STAR": {}, "x": [[None]]}),
        "msgpack with unknown keys": pack(form | {"thickness": 9, "DRAW_STAR": {}}),
        "msgpack with wide encodings": map16(
            [(str8("DRAW_BOX"), map32([(k, array16([u64(v) for v in xy])) for k, xy in BOX.items()]))]
        ),
        "an array of one, as JSON": dumps([form]),
        "an array of one, as msgpack": pack([form]),
    }.items():
        yield valid(name, [data], {"overlays": box})
    for corners in ([10.5, -0.25], [1_000_000, -1_000_000]):
        geometry = {"TOP_LEFT": corners, "BOTTOM_RIGHT": corners}
        expect = {"overlays": [shape("DRAW_BOX", geometry)]}
        yield valid(f"corners {corners} as JSON", [dumps({"DRAW_BOX": geometry})], expect)
        yield valid(f"corners {corners} as msgpack", [pack({"DRAW_BOX": geometry})], expect)
    single = {"TOP_LEFT": [f32(10.5), f32(-0.25)], "BOTTOM_RIGHT": [f32(10.5), f32(-0.25)]}
    geometry = {"TOP_LEFT": [10.5, -0.25], "BOTTOM_RIGHT": [10.5, -0.25]}
    yield valid("32 bit floats", [pack({"DRAW_BOX": single})], {"overlays": [shape("DRAW_BOX", geometry)]})
    for verb, geometry in {"DRAW_BOX": BOX, **SISTERS}.items():
        expect = {"overlays": [shape(verb, geometry, **EVERY_KEY)]}
        yield valid(f"{verb} with every key, as JSON", [dumps({verb: geometry} | EVERY_KEY)], expect)
        yield valid(f"{verb} with every key, as msgpack", [pack({verb: geometry} | EVERY_KEY)], expect)
    escaped = json.dumps({"DRAW_TEXT": {"AT": [3, 4], "TEXT": "🐁"}}).encode()
    yield valid(
        "JSON escapes of two halves",
        [escaped],
        {"overlays": [shape("DRAW_TEXT", {"AT": [3, 4], "TEXT": "🐁"})]},
    )
    batch = [
        {"CLEAR": {}, "camera": "cam1"},
        {"DRAW_BOX": BOX, "id": "a"},
        {"DRAW_LINE": SISTERS["DRAW_LINE"]},
    ]
    expect = [
        shape("CLEAR", {}, camera="cam1"),
        shape("DRAW_BOX", BOX, id="a"),
        shape("DRAW_LINE", SISTERS["DRAW_LINE"]),
    ]
    yield valid("an array of three, as JSON", [dumps(batch)], {"overlays": expect})
    yield valid("an array of three, as msgpack", [pack(batch)], {"overlays": expect})
    yield valid("an empty array", [b"[]"], {"overlays": []})
    yield valid("256 overlays", [array16([{"CLEAR": {}}] * 256)], {"overlays": [shape("CLEAR", {})] * 256})
    for lifetime_s in (0, 60):
        expect = {"overlays": [shape("CLEAR", {}, lifetime_s=lifetime_s)]}
        yield valid(f"a lifetime of {lifetime_s} s", [dumps({"CLEAR": {}, "lifetime_s": lifetime_s})], expect)
    points = [[1, 2]] * 256
    yield valid(
        "256 points",
        [pack({"DRAW_POLYGON": {"POINTS": points}})],
        {"overlays": [shape("DRAW_POLYGON", {"POINTS": points})]},
    )


def door_refused() -> Iterator[Vector]:
    form = dumps({"DRAW_BOX": BOX})
    for name, data in {
        "JSON cut off": form[:-1],
        "JSON with bytes behind": form + b"x",
        "two JSON values": form + form,
        "JSON with a single quote": form.replace(b'"', b"'"),
        "JSON NaN": b'{"DRAW_BOX": {"TOP_LEFT": [NaN, 0], "BOTTOM_RIGHT": [1, 1]}}',
        "JSON Infinity": b'{"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": Infinity}}',
        "JSON -Infinity in an unknown key": b'{"CLEAR": {}, "x": -Infinity}',
        "JSON that is not UTF-8": b'{"CLEAR": {}, "id": "\xff"}',
        "JSON in UTF-16": b"{\x00}\x00",
        "a JSON bomb of arrays": b"[" * 60_000,
        "a JSON bomb of maps": b'{"a":' * 10_000,
        "a JSON integer of 5000 digits": b'{"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": '
        + b"9" * 5_000
        + b"}}",
    }.items():
        yield refused(name, [data], "bad_json")
    packed = pack({"DRAW_BOX": BOX})
    for name, data in {
        "nothing": b"",
        "whitespace": b" \n",
        "a JSON text": b'"DRAW_BOX"',
        "msgpack cut off": packed[:-1],
        "msgpack with bytes behind": packed + b"\xc0",
        "msgpack with an extension type": pack({"CLEAR": {}, "x": ext8(1, b"a")}),
        "msgpack with a key that is not text": mapping([("CLEAR", {}), (1, 1)]),
        "an array that claims 2^32-1 entries": b"\xdd\xff\xff\xff\xff",
    }.items():
        yield refused(name, [data], "bad_msgpack")
    yield refused("a msgpack bomb", [array32([nested(400)])], "header_too_deep")
    yield refused("65537 bytes of JSON", [form + b" " * (65_537 - len(form))], "too_large")
    yield refused("65537 bytes of msgpack", [b"\x90" * 65_537], "too_large")
    yield refused("257 overlays", [array16([{"CLEAR": {}}] * 257)], "out_of_range")
    yield refused(
        "one bad overlay refuses the array", [dumps([{"DRAW_BOX": BOX}, {"DRAW_STAR": {}}])], "unknown_verb"
    )


def door_refused_forms() -> Iterator[Vector]:
    far = 1_000_001
    forms: list[tuple[str, Any]] = [
        ("unknown_verb", {}),
        ("unknown_verb", {"draw_box": BOX}),
        ("unknown_verb", {"camera": "cam1", "id": "a"}),
        ("wrong_type", [[]]),
        ("wrong_type", [5]),
        ("wrong_type", {"DRAW_BOX": BOX, "CLEAR": {}}),
        ("wrong_type", {"DRAW_BOX": [10, 20, 110, 220]}),
        ("wrong_type", {"DRAW_BOX": None}),
        ("missing_key", {"DRAW_BOX": {}}),
        ("missing_key", {"DRAW_BOX": {"TOP_LEFT": [0, 0]}}),
        ("missing_key", {"DRAW_CIRCLE": {"CENTER": [0, 0]}}),
        ("missing_key", {"DRAW_LINE": {"FROM": [0, 0]}}),
        ("missing_key", {"DRAW_POLYGON": {}}),
        ("missing_key", {"DRAW_TEXT": {"AT": [0, 0]}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": [1]}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": [1, 2, 3]}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": "1,2"}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": [1, "2"]}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": [1, True]}}),
        ("wrong_type", {"DRAW_BOX": BOX | {"TOP_LEFT": [1, None]}}),
        ("wrong_type", {"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": "5"}}),
        ("wrong_type", {"DRAW_POLYGON": {"POINTS": {"0": [0, 0]}}}),
        ("wrong_type", {"DRAW_POLYGON": {"POINTS": [1, 2]}}),
        ("wrong_type", {"DRAW_TEXT": {"AT": [0, 0], "TEXT": 5}}),
        ("out_of_range", {"DRAW_BOX": BOX | {"TOP_LEFT": [far, 0]}}),
        ("out_of_range", {"DRAW_BOX": BOX | {"TOP_LEFT": [0, -far]}}),
        ("out_of_range", {"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": -1}}),
        ("out_of_range", {"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": far}}),
        ("out_of_range", {"DRAW_POLYGON": {"POINTS": [[0, 0]]}}),
        ("out_of_range", {"DRAW_POLYGON": {"POINTS": [[0, 0]] * 257}}),
        ("out_of_range", {"DRAW_TEXT": {"AT": [0, 0], "TEXT": "x" * 257}}),
        ("out_of_range", {"CLEAR": {}, "lifetime_s": 60.5}),
        ("out_of_range", {"CLEAR": {}, "lifetime_s": 10**15}),
        ("out_of_range", {"CLEAR": {}, "lifetime_s": -1}),
        ("wrong_type", {"CLEAR": {}, "lifetime_s": "1"}),
        ("wrong_type", {"CLEAR": {}, "lifetime_s": None}),
        ("wrong_type", {"CLEAR": {}, "camera": 1}),
        ("out_of_range", {"CLEAR": {}, "camera": "a/b"}),
        ("out_of_range", {"CLEAR": {}, "camera": "c" * 65}),
        ("wrong_type", {"CLEAR": {}, "id": 1}),
        ("out_of_range", {"CLEAR": {}, "id": "i" * 65}),
        ("out_of_range", {"CLEAR": {}, "label": "x" * 257}),
        ("wrong_type", {"CLEAR": {}, "color": "red"}),
        ("wrong_type", {"CLEAR": {}, "color": [255, 0]}),
        ("wrong_type", {"CLEAR": {}, "color": [256, 0, 0]}),
        ("wrong_type", {"CLEAR": {}, "color": [1.0, 0, 0]}),
    ]
    for number, (reason, form) in enumerate(forms):
        yield refused(f"{reason} {number}, as JSON", [dumps(form)], reason)
        yield refused(f"{reason} {number}, as msgpack", [pack(form)], reason)
    half = b'{"DRAW_TEXT": {"AT": [0, 0], "TEXT": "\\ud83d"}}'
    yield refused("half a character in JSON", [half], "wrong_type")
    overflow = b'{"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": 1e999}}'
    yield refused("a JSON number that becomes infinite", [overflow], "out_of_range")
    yield refused("a msgpack NaN", [pack({"DRAW_CIRCLE": {"CENTER": [0, 0], "RADIUS": NAN}})], "out_of_range")


def overlay_vectors() -> Iterator[Vector]:
    shapes = [
        {"DRAW_BOX": BOX} | EVERY_KEY,
        {"DRAW_TEXT": SISTERS["DRAW_TEXT"], "id": "_1", "lifetime_s": 0.5, "color": [255, 0, 0]},
    ]
    seen = [
        shape("DRAW_BOX", BOX, **EVERY_KEY),
        shape("DRAW_TEXT", SISTERS["DRAW_TEXT"], id="_1", lifetime_s=0.5),
    ]
    fields = {"camera": "cam1", "shapes": shapes}
    yield valid("two shapes", message("overlay", fields), {**ORIGIN, "camera": "cam1", "shapes": seen})
    nothing = {"camera": "cam1", "shapes": []}
    yield valid("nothing left", message("overlay", nothing), {**ORIGIN, **nothing})
    yield valid("unknown keys", message("overlay", nothing | {"x": 1}), {**ORIGIN, **nothing})
    many = {"camera": "cam1", "shapes": [{"CLEAR": {}}] * 257}
    yield refused("257 shapes", message("overlay", many), "out_of_range")
    for reason, changes in (
        ("wrong_type", {"shapes": {}, "camera": 5}),
        ("wrong_type", {"shapes": [5], "camera": None}),
        ("unknown_verb", {"shapes": [{}]}),
        ("out_of_range", {"shapes": [{"DRAW_BOX": BOX, "lifetime_s": 61}], "camera": "c" * 65}),
    ):
        for key, value in changes.items():
            yield refused(
                f"{reason}: {key} {describe(value)}", message("overlay", nothing | {key: value}), reason
            )
    for key in nothing:
        yield refused(f"no {key}", message("overlay", without(nothing, key)), "missing_key")
