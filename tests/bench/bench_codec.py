"""Encoding and decoding alone, in one process: the header of a frame, and tracks of ten animals.

Times are processor time of the fastest of many short runs, so that what else the machine does counts little.
Beside them stands what msgpack takes for the same maps.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from time import thread_time
from typing import Any

import msgpack
import numpy as np
from contenders.tracks import make_tracks
from harness.load import Load
from harness.report import Findings, read_words, tell
from harness.summary import Target, Targets

from zbus.wire import (
    Body,
    Origin,
    Topic,
    TracksMessage,
    decode_body,
    decode_message,
    encode_message,
    frame_of_image,
)

ORIGIN = Origin("node1", "9f86d0818f86d081", 41, 1_767_225_600_001_500_000)
FRAME, TRACKS = "header of a frame", "tracks of 10 animals"
TARGETS_US = {FRAME: 15.0, TRACKS: 20.0}
CALLS, RUNS = 500, 100


def main() -> int:
    words = read_words(__doc__ or "", rounds=5, seconds=0.0, sizes=(), quick_sizes=())
    load = Load()
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(words.rounds):
        for key, call in calls():
            times.setdefault(key, []).append(fastest_us(call, RUNS // (4 if words.quick else 1)))
    rows = {key: {"p50_us": sorted(found)[len(found) // 2]} for key, found in times.items()}
    findings = Findings(rows, {}, load.to_map())
    return tell("codec", words, findings, targets_of(findings))


def calls() -> list[tuple[tuple[str, str], Callable[[], Any]]]:
    """What is timed, under (case, name)."""
    picture = frame_of_image(
        np.zeros((480, 640), np.uint8),
        "mono8",
        camera="cam1",
        frame_number=41,
        captured_ns=2**60,
        mono_ns=2**60,
    )
    tracks = TracksMessage("cam1", 41, 2**60, 2**60, make_tracks())
    found: list[tuple[tuple[str, str], Callable[[], Any]]] = []
    for case, topic, body in (
        (FRAME, Topic("frame", "cam1"), picture),
        (TRACKS, Topic("tracks", "tracker1"), tracks),
    ):
        found += [((case, name), call) for name, call in calls_of(topic, body)]
    return found


def calls_of(topic: Topic, body: Body) -> list[tuple[str, Callable[[], Any]]]:
    """Encode, decode, and msgpack alone."""
    # Why bytes: so small parts come from the socket.
    parts = [bytes(part) for part in encode_message(topic, ORIGIN, body)]
    header = msgpack.unpackb(parts[1])
    single = topic.kind == "tracks"
    return [
        ("encode", lambda: encode_message(topic, ORIGIN, body)),
        ("decode", lambda: decode_body(decode_message(parts))),
        ("msgpack alone: pack", lambda: msgpack.packb(header, use_single_float=single)),
        ("msgpack alone: unpack", lambda: msgpack.unpackb(parts[1])),
    ]


def fastest_us(call: Callable[[], Any], runs: int) -> float:
    """Microseconds of one call in the fastest of the runs."""
    times = timeit.repeat(call, timer=thread_time, number=CALLS, repeat=runs)
    return min(times) / CALLS * 1e6


def targets_of(findings: Findings) -> Targets:
    """A8, absolute: encode and decode together, in units of what they may take."""
    targets = Targets()
    for case, bound_us in TARGETS_US.items():
        both_us = sum(findings.figure(case, name, "p50_us") or 0.0 for name in ("encode", "decode"))
        of = f"encode + decode of {case} in units of {bound_us:g} us (absolute): {both_us:.1f} us"
        targets.add("A8", Target(of, both_us / bound_us, 1.0))
    return targets


if __name__ == "__main__":
    sys.exit(main())
