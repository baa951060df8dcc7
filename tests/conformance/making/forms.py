"""Messages to say wrong things with, and the form of a vector."""

from __future__ import annotations

from typing import Any

from making.packing import pack

INT_MAX = 2**63 - 1
NOON_NS = 1_767_225_600_000_000_000
NAN, INF = float("nan"), float("inf")
NAN, INF = float("nan"), float("inf")

Fields = dict[str, Any]
Vector = dict[str, Any]

ENVELOPE: Fields = {
    "v": 1,
    "node": "node1",
    "session": "9f86d081",
    "seq": 7,
    "published_ns": NOON_NS + 1_500_000,
}
ORIGIN = {key: value for key, value in ENVELOPE.items() if key != "v"}
TOPICS = {
    "frame": b"frame/cam1/",
    "tracks": b"tracks/tracker1/",
    "overlay": b"overlay/cam1/",
    "state": b"state/node1/",
    "event": b"event/node1/",
    "request": b"control/node1/",
    "reply": b"reply/node1/",
}


def valid(name: str, parts: list[bytes], expect: Fields) -> Vector:
    return {"name": name, "parts": [compact(part) for part in parts], "expect": expect}


def refused(name: str, parts: list[bytes], reason: str) -> Vector:
    return {"name": name, "parts": [compact(part) for part in parts], "refuse": reason}


def compact(data: bytes) -> str | list[Any]:
    """Hex; a large part as pieces, in which `{"repeat": hex, "times": n}` stands for a run."""
    if len(data) < 4_096:
        return data.hex()
    pieces: list[Any] = []
    plain_from = at = 0
    while at < len(data):
        unit, times = longest_run(data, at)
        if times * len(unit) < 256:
            at += 1
            continue
        pieces += [data[plain_from:at].hex()] if at > plain_from else []
        pieces.append({"repeat": unit.hex(), "times": times})
        plain_from = at = at + times * len(unit)
    return pieces + ([data[plain_from:].hex()] if plain_from < len(data) else [])


def longest_run(data: bytes, at: int) -> tuple[bytes, int]:
    best = (b"", 0)
    for size in range(1, 48):
        unit, times = data[at : at + size], 1
        while data[at + times * size : at + (times + 1) * size] == unit:
            times += 1
        if times > 1 and times * size > best[1] * len(best[0]):
            best = (unit, times)
    return best


def plain(value: Any) -> Any:
    """A value as any JSON reader takes it: large integers and bytes in a form of their own."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return {"bin": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"int": str(value)}
    return value


def without(fields: Fields, key: str) -> Fields:
    return {name: value for name, value in fields.items() if name != key}


def message(kind: str, fields: Fields, *payload: bytes) -> list[bytes]:
    return [TOPICS[kind], pack(ENVELOPE | fields), *payload]


def describe(value: Any) -> str:
    """A short text of a value for a vector's name."""
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) < 24 else text[:12] + "..."
