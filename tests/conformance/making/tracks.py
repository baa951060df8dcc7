"""Vectors of tracks (spec 4)."""

from __future__ import annotations

from collections.abc import Iterator

from making.forms import (
    ENVELOPE,
    INF,
    INT_MAX,
    NAN,
    NOON_NS,
    ORIGIN,
    TOPICS,
    Fields,
    Vector,
    describe,
    message,
    refused,
    valid,
    without,
)
from making.packing import array16, array32, f32, i64, map16, str8, str16, u8, u32, u64

TRACKS: Fields = {
    "camera": "cam1",
    "frame_number": 41,
    "captured_ns": NOON_NS,
    "mono_ns": 5_000_000_000,
    "track_ids": [1, 7],
    "centroids_px": [[10.5, 20.25], [300.0, 0.0]],
    "boxes_xyxy_px": [[5.5, 15.25, 15.5, 25.25], [290.0, -10.0, 310.0, 10.0]],
    "scores": [1.0, 0.25],
    "class_ids": [0, 3],
    "states": ["confirmed", "lost"],
}


def tracks_vectors() -> Iterator[Vector]:
    yield from tracks_valid()
    yield from tracks_refused()


def tracks_valid() -> Iterator[Vector]:
    expect = {**ORIGIN, **TRACKS}
    yield valid("two tracks", message("tracks", TRACKS), expect)
    single = {
        key: [[f32(number) for number in row] for row in TRACKS[key]]
        for key in ("centroids_px", "boxes_xyxy_px")
    }
    single["scores"] = [f32(number) for number in TRACKS["scores"]]
    yield valid("32 bit floats", message("tracks", TRACKS | single), expect)
    whole = {"centroids_px": [[10, 20], [300, 0]], "scores": [1, 0]}
    yield valid("whole numbers as integers", message("tracks", TRACKS | whole), expect | whole)
    wide = {
        "track_ids": array32([u64(1), i64(7)]),
        "class_ids": array16([u8(0), u32(3)]),
        "states": array16([str8("confirmed"), str16("lost")]),
    }
    yield valid("wide encodings", message("tracks", TRACKS | wide), expect)
    yield valid("unknown keys", message("tracks", TRACKS | {"headings_rad": [NOON_NS, 0.5]}), expect)
    yield valid(
        "keys in reverse order", [TOPICS["tracks"], map16(reversed((ENVELOPE | TRACKS).items()))], expect
    )
    columns = ("track_ids", "centroids_px", "boxes_xyxy_px", "scores", "class_ids", "states")
    nobody = {key: [] for key in columns}
    yield valid("nobody", message("tracks", TRACKS | nobody), expect | nobody)
    ids = {"track_ids": [INT_MAX, -1], "class_ids": [-(2**63), 255]}
    yield valid("the largest ids", message("tracks", TRACKS | ids), expect | ids)
    every = {key: TRACKS[key] + TRACKS[key][:1] for key in columns} | {
        "states": ["tentative", "confirmed", "lost"]
    }
    yield valid("every state", message("tracks", TRACKS | every), expect | every)


def tracks_refused() -> Iterator[Vector]:
    for key in TRACKS:
        yield refused(f"no {key}", message("tracks", without(TRACKS, key)), "missing_key")
    box = [1.0, 2.0, 3.0, 4.0]
    for reason, changes in (
        ("size_mismatch", {"track_ids": [1], "centroids_px": [[1.0, 2.0]], "boxes_xyxy_px": [box]}),
        ("size_mismatch", {"scores": [1.0], "class_ids": [0], "states": ["lost"]}),
        ("size_mismatch", {"centroids_px": [[1.0], [1.0, 2.0, 3.0]], "boxes_xyxy_px": [box, box[:3]]}),
        (
            "size_mismatch",
            {"centroids_px": [], "boxes_xyxy_px": [], "scores": [], "class_ids": [], "states": []},
        ),
        ("size_mismatch", {"centroids_px": [1.0, 2.0, 3.0, 4.0], "boxes_xyxy_px": [*box, *box]}),
        ("wrong_type", {"track_ids": [1, 7.0], "class_ids": [0, "3"], "scores": [1.0, True]}),
        ("wrong_type", {"centroids_px": [[1.0, "2"], [3.0, 4.0]], "boxes_xyxy_px": [box, [None, *box[:3]]]}),
        ("wrong_type", {"track_ids": None, "centroids_px": {}, "scores": "1", "states": b"", "class_ids": 0}),
        (
            "wrong_type",
            {"states": ["confirmed", "gone"], "scores": [[1.0], [0.5]], "track_ids": [True, False]},
        ),
        ("wrong_type", {"camera": None, "frame_number": 41.0, "captured_ns": "now", "states": [1, 2]}),
        ("out_of_range", {"scores": [1.0, NAN], "centroids_px": [[INF, 0.0], [0.0, 0.0]], "mono_ns": -1}),
        ("out_of_range", {"scores": [f32(NAN), 1.0], "boxes_xyxy_px": [box, [-INF, 0.0, 0.0, 0.0]]}),
        ("out_of_range", {"track_ids": [1, 2**63], "class_ids": [0, 2**64 - 1], "camera": "c" * 65}),
        ("out_of_range", {"centroids_px": [[1e300, 0.0], [0.0, 0.0]], "frame_number": -1}),
    ):
        for number, (key, value) in enumerate(changes.items()):
            name = f"{reason}: {key} {describe(value)}"
            yield refused(f"{name} ({number})", message("tracks", TRACKS | {key: value}), reason)
    many = {"track_ids": [1] * 2_049, "centroids_px": [[0, 0]] * 2_049, "boxes_xyxy_px": [[0] * 4] * 2_049}
    many |= {"scores": [0] * 2_049, "class_ids": [0] * 2_049, "states": ["lost"] * 2_049}
    yield refused("2049 tracks", message("tracks", TRACKS | many), "out_of_range")
