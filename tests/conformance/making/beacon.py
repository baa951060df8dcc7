"""Vectors of beacons (spec 8): one part, the datagram."""

from __future__ import annotations

from collections.abc import Iterator

from making.forms import Fields, Vector, describe, refused, valid, without
from making.packing import nested, pack

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
LEAST: Fields = {
    "v": 1,
    "rig": "arena",
    "host": "rig1",
    "session": "9f86d081",
    "period_ms": 1_000,
    "directory": "tcp://127.0.0.1:5550",
}
ALL: Fields = LEAST | {"directory": "tcp://10.0.0.1:5550", "edge": "tcp://10.0.0.1:5560", "server_key": KEY}
ABSENT: Fields = {"directory": "", "edge": "", "server_key": ""}


def beacon_vectors() -> Iterator[Vector]:
    yield valid("on loopback", [pack(LEAST)], expect(LEAST))
    yield valid("all keys", [pack(ALL)], expect(ALL))
    locked = without(ALL, "directory")
    yield valid("an edge alone", [pack(locked)], expect(locked))
    yield valid("unknown keys", [pack(LEAST | {"x": [1]})], expect(LEAST))
    for endpoint in ("ipc:///run/user/1000/zbus/directory", "tcp://[fe80::1]:5550", "tcp://127.0.0.1:65535"):
        yield valid(f"at {endpoint}", [pack(LEAST | {"directory": endpoint})],
                    expect(LEAST | {"directory": endpoint}))  # fmt: skip
    longest = LEAST | {"rig": "r" * 64, "host": "h" * 256, "session": "s" * 64, "period_ms": 60_000}
    yield valid("the longest", [pack(longest)], expect(longest))
    full = LEAST | {"x": ""}
    full |= {"x": "x" * (1_200 - len(pack(full)) - 2)}
    assert len(pack(full)) == 1_200
    yield valid("1200 bytes", [pack(full)], expect(LEAST))
    yield from refused_beacons(full)


def refused_beacons(full: Fields) -> Iterator[Vector]:
    yield refused("1201 bytes", [pack(full | {"x": full["x"] + "x"})], "header_too_large")
    yield refused("nothing", [b""], "bad_msgpack")
    yield refused("truncated", [pack(LEAST)[:-1]], "bad_msgpack")
    yield refused("a byte behind", [pack(LEAST) + b"\x00"], "bad_msgpack")
    yield refused("text", [b"M-SEARCH * HTTP/1.1\r\n"], "bad_msgpack")
    yield refused("an array", [pack([LEAST])], "header_not_map")
    yield refused("too deep", [pack(LEAST | {"x": nested(9)})], "header_too_deep")
    yield refused("version 2", [pack(LEAST | {"v": 2})], "unknown_version")
    for key in ("v", "rig", "host", "session", "period_ms", "directory"):
        yield refused(f"no {key}", [pack(without(LEAST, key))], "missing_key")
    for reason, changes in (
        ("wrong_type", {"rig": 1, "host": None, "period_ms": 1.0, "directory": [], "server_key": b"x"}),
        ("out_of_range", {"rig": "r" * 65, "host": "h" * 257, "session": "s" * 65, "period_ms": 99}),
        ("out_of_range", {"period_ms": 60_001, "directory": "ipc://" + "x" * 251, "server_key": KEY[:-1]}),
        ("out_of_range", {"server_key": "~" * 40}),
        ("bad_topic", {"rig": ""}),
        ("bad_topic", {"rig": "a rig"}),
    ):
        for key, value in changes.items():
            yield refused(f"{reason}: {key} {describe(value)}", [pack(LEAST | {key: value})], reason)
    for endpoint in (
        "", "127.0.0.1:5550", "tcp://rig1:5550", "tcp://127.0.0.1", "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536", "tcp://127.0.0.256:1", "tcp://*:5550", "ipc://", "ipc://a b", "udp://1.2.3.4:5",
    ):  # fmt: skip
        yield refused(f"at {endpoint!r}", [pack(LEAST | {"directory": endpoint})], "bad_endpoint")


def expect(fields: Fields) -> Fields:
    return ABSENT | without(fields, "v")
