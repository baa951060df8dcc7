"""Vectors of requests and replies (spec 7)."""

from __future__ import annotations

from collections.abc import Iterator

from making.forms import INF, NAN, NOON_NS, TOPICS, Fields, Vector, describe, refused, valid, without
from making.packing import nested, pack

REQUEST: Fields = {
    "v": 1,
    "request_id": "5e884898da280471",
    "verb": "configure",
    "args": {"settings": {"Gain": 2}},
    "timeout_ms": 5_000,
    "asked_ns": NOON_NS,
    "sender": "panel",
}

REPLY: Fields = {"v": 1, "request_id": "5e884898da280471", "ok": True, "result": {"settings": {"Gain": 2}}}

ERROR: Fields = {
    "code": "unknown_verb",
    "cause": "node1 has no verb 'jump'",
    "next_step": "status, configure",
}


def control(kind: str, fields: Fields) -> list[bytes]:
    return [TOPICS[kind], pack(fields)]


def request_vectors() -> Iterator[Vector]:
    expect = {"target": "node1", **without(REQUEST, "v")}
    yield valid("configure", control("request", REQUEST), expect)
    least = {key: REQUEST[key] for key in ("v", "request_id", "verb", "timeout_ms")}
    yield valid(
        "only what is required", control("request", least), expect | {"args": {}, "asked_ns": 0, "sender": ""}
    )
    yield valid("unknown keys", control("request", REQUEST | {"x": 1}), expect)
    longest = {"request_id": "r" * 64, "verb": "v" * 32, "sender": "s" * 64, "timeout_ms": 600_000}
    yield valid("the longest", control("request", REQUEST | longest), expect | longest)
    announce = {
        "verb": "announce",
        "args": {
            "node": "node1",
            "role": "camera",
            "session": "9f86d081",
            "host": "rig1",
            "pid": 4242,
            "publishes": ["frame/cam1/", "state/node1/"],
            "endpoints": ["tcp://127.0.0.1:49152"],
            "rates": {"frame/cam1/": 29.5},
        },
    }
    yield valid(
        "announce",
        [b"control/directory/", pack(REQUEST | announce)],
        expect | announce | {"target": "directory"},
    )
    for key in least:
        yield refused(f"no {key}", control("request", without(REQUEST, key)), "missing_key")
    yield from control_refused("request", REQUEST)
    for reason, changes in (
        ("wrong_type", {"verb": 1, "args": [], "timeout_ms": 5.0, "sender": None, "asked_ns": "now"}),
        ("out_of_range", {"verb": "v" * 33, "timeout_ms": 0, "sender": "s" * 65, "asked_ns": -1}),
        ("out_of_range", {"timeout_ms": 600_001, "args": {"Gain": NAN}}),
    ):
        for key, value in changes.items():
            yield refused(
                f"{reason}: {key} {describe(value)}", control("request", REQUEST | {key: value}), reason
            )
    yield refused("a reply", control("reply", REQUEST), "bad_topic")
    yield refused("an empty request_id", control("request", REQUEST | {"request_id": ""}), "out_of_range")


def reply_vectors() -> Iterator[Vector]:
    expect = {"target": "node1", **without(REPLY, "v"), "error": None}
    yield valid("done", control("reply", REPLY), expect)
    yield valid("done, without result", control("reply", without(REPLY, "result")), expect | {"result": {}})
    yield valid("unknown keys", control("reply", REPLY | {"x": 1}), expect)
    failed = {"v": 1, "request_id": REPLY["request_id"], "ok": False, "error": ERROR}
    not_done = expect | {"ok": False, "result": None, "error": ERROR}
    yield valid("an error", control("reply", failed), not_done)
    short = {"code": "eclipse"}
    expect_short = not_done | {"error": {"code": "eclipse", "cause": "", "next_step": ""}}
    yield valid("an error from the future", control("reply", failed | {"error": short}), expect_short)
    for key in ("v", "request_id"):
        yield refused(f"no {key}", control("reply", without(REPLY, key)), "missing_key")
    yield refused("no ok", control("reply", without(REPLY, "ok")), "missing_key")
    yield refused(
        "an error without code", control("reply", failed | {"error": without(ERROR, "code")}), "missing_key"
    )
    yield refused("not ok, and no error", control("reply", without(failed, "error")), "missing_key")
    yield from control_refused("reply", REPLY)
    for reason, changes in (
        ("wrong_type", {"ok": 1, "result": []}),
        ("wrong_type", {"ok": "true", "result": None}),
        ("out_of_range", {"result": {"x": INF}}),
    ):
        for key, value in changes.items():
            yield refused(
                f"{reason}: {key} {describe(value)}", control("reply", REPLY | {key: value}), reason
            )
    for reason, key, value in (
        ("wrong_type", "code", 5),
        ("wrong_type", "cause", None),
        ("out_of_range", "code", "c" * 65),
        ("out_of_range", "cause", "c" * 2_049),
        ("out_of_range", "next_step", "n" * 513),
    ):
        yield refused(
            f"{reason}: error {key} {describe(value)}",
            control("reply", failed | {"error": ERROR | {key: value}}),
            reason,
        )
    yield refused("a request", control("request", REPLY), "bad_topic")


def control_refused(kind: str, fields: Fields) -> Iterator[Vector]:
    """What is wrong with a request and a reply alike."""
    topic, header = TOPICS[kind], pack(fields)
    limit = {"request": 65_536, "reply": 262_144}[kind]
    yield refused("one part", [topic], "wrong_part_count")
    yield refused("three parts", [topic, header, b""], "wrong_part_count")
    yield refused("an empty part in front, as REQ sends it", [b"", topic, header], "wrong_part_count")
    yield refused("no trailing slash", [topic[:-1], header], "bad_topic")
    yield refused("a data topic", [b"frame/cam1/", header], "bad_topic")
    yield refused("truncated", [topic, header[:-1]], "bad_msgpack")
    yield refused("a byte behind", [topic, header + b"\x00"], "bad_msgpack")
    yield refused("the header is an array", [topic, pack([fields])], "header_not_map")
    yield refused("too deep", [topic, pack(fields | {"x": nested(9)})], "header_too_deep")
    yield refused(f"{limit + 1} bytes", [topic, b"\x90" * (limit + 1)], "header_too_large")
    yield refused("version 2", [topic, pack(fields | {"v": 2})], "unknown_version")
    yield refused("request_id is a number", [topic, pack(fields | {"request_id": 5})], "wrong_type")
    yield refused("request_id is too long", [topic, pack(fields | {"request_id": "r" * 65})], "out_of_range")
