"""Vectors of states and events (spec 6)."""

from __future__ import annotations

from collections.abc import Iterator

from making.forms import INF, NAN, NOON_NS, ORIGIN, Fields, Vector, describe, message, refused, valid, without
from making.packing import nested

STATE: Fields = {
    "role": "camera",
    "state": "running",
    "cause": "",
    "since_ns": NOON_NS,
    "host": "rig1",
    "pid": 4242,
    "counters": {"frames": 1000, "rate_hz": 30.5},
    "settings": {"Width": 640, "Gain": 1.5, "on": True},
    "details": {"camera": "cam1", "clients": [], "offset_ns": None},
}

EVENT: Fields = {
    "event": "gap",
    "fields": {"topic": "frame/cam1/", "lost": 3, "first_seq": 8, "cause": "bus"},
}


def state_vectors() -> Iterator[Vector]:
    expect = {**ORIGIN, **STATE}
    yield valid("a running camera", message("state", STATE), expect)
    yield valid("unknown keys", message("state", STATE | {"mood": "good"}), expect)
    least = {key: STATE[key] for key in ("role", "state", "since_ns", "host", "pid")}
    left = {"cause": "", "counters": {}, "settings": {}, "details": {}}
    yield valid("only what is required", message("state", least), expect | left)
    for name in ("starting", "running", "degraded", "lost", "ended", "failed", "stopped"):
        yield valid(f"state {name}", message("state", STATE | {"state": name}), expect | {"state": name})
    longest = {"role": "r" * 32, "cause": "ö" * 512, "host": "h" * 256}
    yield valid("the longest texts", message("state", STATE | longest), expect | longest)
    for key in least:
        yield refused(f"no {key}", message("state", without(STATE, key)), "missing_key")
    for reason, changes in (
        ("wrong_type", {"state": "happy", "role": 1, "cause": None, "since_ns": 1.0, "host": [], "pid": "1"}),
        ("wrong_type", {"counters": [], "settings": None, "details": "x", "state": 3}),
        ("wrong_type", {"counters": {"frames": "many"}, "pid": True}),
        (
            "out_of_range",
            {"role": "r" * 33, "state": "s" * 17, "cause": "c" * 513, "host": "h" * 257, "pid": -1},
        ),
        ("out_of_range", {"counters": {"rate_hz": NAN}, "settings": {"Gain": INF}, "since_ns": -1}),
    ):
        for key, value in changes.items():
            yield refused(
                f"{reason}: {key} {describe(value)}", message("state", STATE | {key: value}), reason
            )


TRUTH: Fields = {
    "event": "truth",
    "fields": {
        "camera": "cam1",
        "frame_number": 41,
        "captured_ns": NOON_NS,
        "track_ids": [1, 2],
        "centroids_px": [[10.5, 20.25], [30.0, 40.0]],
        "headings_rad": [0.0, -1.5],
        "contact": [True, False],
    },
}


def event_vectors() -> Iterator[Vector]:
    yield valid("a gap", message("event", EVENT), {**ORIGIN, **EVENT})
    yield valid("a truth", message("event", TRUTH), {**ORIGIN, **TRUTH})
    yield valid(
        "an event from the future",
        message("event", {"event": "eclipse"}),
        {**ORIGIN, "event": "eclipse", "fields": {}},
    )
    yield valid("unknown keys", message("event", EVENT | {"x": 1}), {**ORIGIN, **EVENT})
    yield refused("no event", message("event", without(EVENT, "event")), "missing_key")
    for reason, changes in (
        ("wrong_type", {"event": 1, "fields": []}),
        ("wrong_type", {"event": None, "fields": "x"}),
        ("out_of_range", {"event": "e" * 65, "fields": {"x": NAN}}),
        ("header_too_deep", {"fields": {"x": nested(8)}}),
    ):
        for key, value in changes.items():
            yield refused(
                f"{reason}: {key} {describe(value)}", message("event", EVENT | {key: value}), reason
            )
