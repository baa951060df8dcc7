"""Vectors of the envelope and of topics (spec 1, 2)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from making.forms import ENVELOPE, INF, INT_MAX, NAN, ORIGIN, Vector, describe, refused, valid, without
from making.packing import (
    Packed,
    binary,
    ext8,
    f32,
    f64,
    fixext4,
    i64,
    map16,
    map32,
    mapping,
    nested,
    pack,
    str8,
    str16,
    str32,
    u8,
    u16,
    u32,
    u64,
)


def envelope_vectors() -> Iterator[Vector]:
    yield from envelope_valid()
    yield from envelope_topics()
    yield from envelope_refused()


def envelope_valid() -> Iterator[Vector]:
    topic = b"event/node1/"
    expect = {"topic": "event/node1/", "topic_kind": "event", "source": "node1", "rendition": "", **ORIGIN}
    expect = expect | {"payload": []}
    pairs = list(ENVELOPE.items())
    encodings = {
        "shortest": mapping(pairs),
        "map16": map16(pairs),
        "map32": map32(pairs),
        "keys in reverse order": mapping(reversed(pairs)),
        "str8 keys and texts": mapping([(str8(k), str8(v) if isinstance(v, str) else v) for k, v in pairs]),
        "str16 texts": mapping([(k, str16(v) if isinstance(v, str) else v) for k, v in pairs]),
        "str32 texts": mapping([(k, str32(v) if isinstance(v, str) else v) for k, v in pairs]),
        "uint64 integers": mapping([(k, u64(v) if isinstance(v, int) else v) for k, v in pairs]),
        "int64 integers": mapping([(k, i64(v) if isinstance(v, int) else v) for k, v in pairs]),
        "seq as uint8": pack(ENVELOPE | {"seq": u8(7)}),
        "seq as uint16": pack(ENVELOPE | {"seq": u16(7)}),
        "seq as uint32": pack(ENVELOPE | {"seq": u32(7)}),
        "a key twice: the last one wins": mapping([("seq", 99), ("node", "other"), *pairs]),
        "unknown keys of every type": pack(
            ENVELOPE | {"x_nil": None, "x_bin": b"\x00\xff", "x_f32": f32(0.5), "x_map": {"a": [1, -1, True]}}
        ),
        "nested 8 deep below the header": pack(ENVELOPE | {"x": nested(8)}),
    }
    for name, header in encodings.items():
        yield valid(name, [topic, header], expect)
    largest = {"seq": INT_MAX, "published_ns": INT_MAX}
    yield valid("the largest integers", [topic, pack(ENVELOPE | largest)], expect | largest)
    yield valid(
        "the smallest integers",
        [topic, pack(ENVELOPE | {"seq": 0, "published_ns": 0})],
        expect | {"seq": 0, "published_ns": 0},
    )
    longest = {"node": "n" * 64, "session": "s" * 64}
    yield valid("the longest names", [topic, pack(ENVELOPE | longest)], expect | longest)
    named = {"node": "Käfig 3 🐁"}
    yield valid("texts are UTF-8", [topic, pack(ENVELOPE | named)], expect | named)
    yield valid("one payload part", [topic, pack(ENVELOPE), b"\x01\x02"], expect | {"payload": [b"\x01\x02"]})
    yield valid("an empty payload part", [topic, pack(ENVELOPE), b""], expect | {"payload": [b""]})


def envelope_topics() -> Iterator[Vector]:
    header = pack(ENVELOPE)
    longest = "S" + "x" * 63
    for name, kind, rendition, source in (
        ("a kind", "tracks", "", "tracker1"),
        ("a rendition", "frame", "jpeg", "cam1"),
        ("a kind from the future", "pose", "", "cam1"),
        ("a rendition from the future", "frame", "h264", "cam1"),
        ("a source of one digit", "frame", "", "0"),
        ("a source with every sign", "frame", "", "Cam_1.left-2"),
        ("the longest source", "frame", "", longest),
        ("the longest topic", "k" * 16, "r" * 16, longest),
    ):
        topic = f"{kind}{'.' if rendition else ''}{rendition}/{source}/"
        expect = {"topic": topic, "topic_kind": kind, "source": source, "rendition": rendition, **ORIGIN}
        yield valid(f"topic: {name}", [topic.encode(), header], expect | {"payload": []})
    for name, bad in (
        ("empty", b""),
        ("no slash", b"frame"),
        ("no trailing slash", b"frame/cam1"),
        ("no source", b"frame//"),
        ("no kind", b"/cam1/"),
        ("three levels", b"frame/cam1/left/"),
        ("a space", b"frame/cam 1/"),
        ("a sign first", b"frame/-cam1/"),
        ("a dot first", b"frame/../"),
        ("a newline behind", b"frame/cam1/\n"),
        ("a null", b"frame/cam\x001/"),
        ("not ASCII", "frame/käfig/".encode()),
        ("not UTF-8", b"frame/\xff/"),
        ("a capital in the kind", b"Frame/cam1/"),
        ("a digit in the kind", b"frame2/cam1/"),
        ("a kind too long", b"k" * 17 + b"/cam1/"),
        ("an empty rendition", b"frame./cam1/"),
        ("two renditions", b"frame.jpeg.small/cam1/"),
        ("a rendition too long", b"frame." + b"r" * 17 + b"/cam1/"),
        ("a source too long", b"frame/" + b"x" * 65 + b"/"),
        ("a topic too long", b"frame/" + b"x" * 122 + b"/"),
        ("a topic far too long", b"frame/" + b"x" * 5_000 + b"/"),
    ):
        yield refused(f"topic: {name}", [bad, header], "bad_topic")


def envelope_refused() -> Iterator[Vector]:
    topic, header = b"event/node1/", pack(ENVELOPE)
    yield refused("no parts", [], "wrong_part_count")
    yield refused("one part", [topic], "wrong_part_count")
    yield refused("too many parts", [topic, header, b"", b""], "wrong_part_count")
    for size in (1, 8, len(header) - 1):
        yield refused(f"truncated after {size} bytes", [topic, header[:size]], "bad_msgpack")
    bad = {
        "empty header": b"",
        "a byte behind": header + b"\x00",
        "two maps": header + header,
        "the unused byte 0xc1": mapping([("x", Packed(b"\xc1")), *ENVELOPE.items()]),
        "an extension type": pack(ENVELOPE | {"x": ext8(5, b"abc")}),
        "an extension type without data": pack(ENVELOPE | {"x": ext8(5, b"")}),
        "the timestamp extension": pack(ENVELOPE | {"x": fixext4(-1, b"\x00\x00\x00\x01")}),
        "an integer key": mapping([*ENVELOPE.items(), (1, 2)]),
        "a binary key": mapping([*ENVELOPE.items(), (binary(b"k"), 2)]),
        "an array as key": mapping([*ENVELOPE.items(), (nested(2), 2)]),
        "a nil key below": pack(ENVELOPE | {"x": mapping([(None, 2)])}),
        "text that is not UTF-8": pack(ENVELOPE | {"x": Packed(b"\xa2\xc3\x28")}),
        "text with half a character": pack(ENVELOPE | {"x": Packed(b"\xa3\xed\xa0\x80")}),
        "a map that claims 2^32-1 entries": b"\xdf\xff\xff\xff\xff",
        "a text that claims 2^32-1 bytes": pack(ENVELOPE | {"x": Packed(b"\xdb\xff\xff\xff\xff")}),
        "JSON": json.dumps(ENVELOPE).encode(),
    }
    for name, data in bad.items():
        yield refused(name, [topic, data], "bad_msgpack")
    for name, data in (("array", pack([1])), ("integer", pack(1)), ("text", pack("v")), ("nil", pack(None))):
        yield refused(
            f"the header is an {name}" if name[0] in "ai" else f"the header is {name}",
            [topic, data],
            "header_not_map",
        )
    yield refused(
        "nested 9 deep below the header", [topic, pack(ENVELOPE | {"x": nested(9)})], "header_too_deep"
    )
    yield refused("nested 400 deep", [topic, pack(ENVELOPE | {"x": nested(400)})], "header_too_deep")
    for kind, limit in (
        ("frame", 4_096),
        ("tracks", 262_144),
        ("overlay", 131_072),
        ("state", 65_536),
        ("event", 65_536),
        ("pose", 65_536),
    ):
        yield refused(
            f"a {kind} header of {limit + 1} bytes",
            [f"{kind}/a/".encode(), b"\x90" * (limit + 1)],
            "header_too_large",
        )
    yield from envelope_fields(topic)


def envelope_fields(topic: bytes) -> Iterator[Vector]:
    for key in ENVELOPE:
        yield refused(f"no {key}", [topic, pack(without(ENVELOPE, key))], "missing_key")
    for version in (2, INT_MAX):
        yield refused(f"version {version}", [topic, pack(ENVELOPE | {"v": version})], "unknown_version")
    for reason, changes in (
        ("wrong_type", {"v": "1", "node": 5, "session": b"9f86d081", "seq": 7.0, "published_ns": None}),
        ("wrong_type", {"v": True, "node": ["n"], "session": {}, "seq": "7", "published_ns": f64(1e18)}),
        ("out_of_range", {"v": 0, "node": "n" * 65, "session": "s" * 65, "seq": -1, "published_ns": 2**63}),
        ("out_of_range", {"v": -1, "seq": u64(2**64 - 1), "published_ns": i64(-1)}),
        ("out_of_range", {"x_nan": NAN, "x_inf": [f32(INF)], "x_map": {"a": -INF}, "x_int": 2**63}),
    ):
        for number, (key, value) in enumerate(changes.items()):
            name = f"{reason} {number}: {key} {describe(value)}"
            yield refused(name, [topic, pack(ENVELOPE | {key: value})], reason)
