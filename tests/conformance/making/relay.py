"""Vectors of what relays say to each other (spec 10)."""

from __future__ import annotations

from collections.abc import Iterator

from making.forms import INT_MAX, NOON_NS, Fields, Vector, refused, valid, without
from making.packing import pack

PING: Fields = {
    "v": 1,
    "rig": "lab",
    "host": "right",
    "link": "small",
    "session": "9f86d081",
    "sent_ns": 81_000_000_000,
}
PONG: Fields = {
    "v": 1,
    "host": "left",
    "session": "884c7d65",
    "epoch": "9a0feaa0",
    "sent_ns": 81_000_000_000,
    "mono_ns": 4_200_000_000,
    "utc_ns": NOON_NS,
    "wanted": 3,
}
WANT: Fields = {"v": 1, "number": 4, "topics": ["frame/cam1/", "state/cam1/"]}
TAKEN: Fields = {"v": 1, "count": 90, "stale": 1}
NODE: Fields = {
    "node": "cam1",
    "role": "camera",
    "session": "d65a884c",
    "pid": 4242,
    "publishes": ["frame/cam1/", "frame.jpeg/cam1/", "state/cam1/"],
}
NODES: Fields = {"v": 1, "nodes": [NODE]}
DATA: Fields = {"v": 1, "began_ns": 4_199_000_000, "thinned": 2}
CARRIED = [b"event/cam1/", b"\x80"]
ROUTE: Fields = {"v": 1, "route": "5e884898"}
HEADERS = {"ping": PING, "pong": PONG, "want": WANT, "taken": TAKEN, "nodes": NODES}


def said(word: str, fields: Fields, *carried: bytes) -> list[bytes]:
    return [word.encode(), pack(fields), *carried]


def relay_vectors() -> Iterator[Vector]:
    yield from good_vectors()
    yield from bad_vectors()


def good_vectors() -> Iterator[Vector]:
    for word, fields in HEADERS.items():
        yield valid(word, said(word, fields), {"word": word, **without(fields, "v")})
    data = {"word": "data", **without(DATA, "v"), "parts": CARRIED}
    yield valid("data", said("data", DATA, *CARRIED), data)
    with_payload = [*CARRIED, b"\x00\x01"]
    yield valid("data with a payload", said("data", DATA, *with_payload), data | {"parts": with_payload})
    for word, topic in (("ask", b"control/cam1/"), ("reply", b"reply/cam1/")):
        carried = [topic, b"\x80"]
        expect = {"word": word, "route": "5e884898", "parts": carried}
        yield valid(word, said(word, ROUTE, *carried), expect)
    yield valid("bye", said("bye", {"v": 1}), {"word": "bye"})
    yield valid("unknown keys", said("taken", TAKEN | {"x": 1}), {"word": "taken", **without(TAKEN, "v")})
    yield valid("no nodes", said("nodes", NODES | {"nodes": []}), {"word": "nodes", "nodes": []})
    rated = NODES | {"nodes": [NODE | {"rates": {"frame/cam1/": 29.97, "state/cam1/": 1.0}}]}
    yield valid("nodes with rates", said("nodes", rated), {"word": "nodes", **without(rated, "v")})
    yield valid(
        "the link of frames",
        said("ping", PING | {"link": "frames"}),
        {"word": "ping", **without(PING, "v"), "link": "frames"},
    )


def bad_vectors() -> Iterator[Vector]:
    yield refused("no header", [b"ping"], "wrong_part_count")
    yield refused("a word that is none", said("pang", PING), "bad_topic")
    yield refused("a ping that carries something", said("ping", PING, b"x"), "wrong_part_count")
    yield refused("data that carries nothing", said("data", DATA), "wrong_part_count")
    yield refused("data with too many parts", said("data", DATA, *[b"x"] * 4), "wrong_part_count")
    yield refused("an ask of three parts", said("ask", ROUTE, b"a", b"b", b"c"), "wrong_part_count")
    yield refused("another version", said("ping", PING | {"v": 2}), "unknown_version")
    yield refused("not a map", [b"ping", pack([1])], "header_not_map")
    yield refused("cut off", [b"ping", pack(PING)[:-1]], "bad_msgpack")
    yield refused("too large", said("nodes", NODES | {"x": ["x" * 60_000] * 5}), "header_too_large")
    for word, fields in HEADERS.items():
        for key in without(fields, "v"):
            yield refused(f"{word} without {key}", said(word, without(fields, key)), "missing_key")
            yield refused(f"{word}: {key} of another type", said(word, fields | {key: None}), "wrong_type")
    yield refused("a link that is none", said("ping", PING | {"link": "large"}), "wrong_type")
    yield refused("a time before time", said("ping", PING | {"sent_ns": -1}), "out_of_range")
    yield refused("want number 0", said("want", WANT | {"number": 0}), "out_of_range")
    yield refused("too many topics", said("want", WANT | {"topics": ["x"] * 1_025}), "out_of_range")
    yield refused("a topic that is long", said("want", WANT | {"topics": ["x" * 129]}), "out_of_range")
    yield refused("a topic that is a number", said("want", WANT | {"topics": [1]}), "wrong_type")
    yield refused("a count past 64 bits", said("taken", TAKEN | {"count": INT_MAX + 1}), "out_of_range")
    for change in ({"node": "-cam1"}, {"node": ""}, {"role": ""}, {"session": ""}, {"pid": -1}):
        ((key, value),) = change.items()
        bad = NODES | {"nodes": [NODE | change]}
        yield refused(f"a node whose {key} is {value!r}", said("nodes", bad), "out_of_range")
    for rates, reason in (
        ([1.0], "wrong_type"),
        ({"frame/cam1/": "30"}, "wrong_type"),
        ({"frame/cam1/": -1.0}, "out_of_range"),
        ({f"frame/cam{number}/": 1.0 for number in range(65)}, "out_of_range"),
        ({"x" * 129: 1.0}, "out_of_range"),
    ):
        bad = NODES | {"nodes": [NODE | {"rates": rates}]}
        yield refused(f"rates that are {str(rates)[:24]}", said("nodes", bad), reason)
    yield refused("a node that is a text", said("nodes", NODES | {"nodes": ["cam1"]}), "wrong_type")
    yield refused("too many nodes", said("nodes", NODES | {"nodes": [NODE] * 257}), "out_of_range")
