"""The conformance vectors, for whoever writes a client or reads messages in a way of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from zbus.errors import UnknownName

VECTOR_KINDS = (
    "envelope", "frame", "notice", "ring", "tracks", "door", "overlay", "state", "event", "request", "reply",
    "beacon", "relay",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vector:
    """One message as its parts, and either the fields a reader must find or the reason it must refuse.

    `expect` is None where the message must be refused, `refuse` "" where it must not. How the fields of each
    kind are named is told in the README of the vectors' folder.
    """

    name: str
    kind: str
    parts: tuple[bytes, ...]
    expect: Mapping[str, Any] | None = None
    refuse: str = ""


def load_vectors(*kinds: str) -> list[Vector]:
    """Read the vectors of these kinds, or of every kind. Raises UnknownName."""
    return [_vector(form) for kind in kinds or VECTOR_KINDS for form in _forms(kind)]


def _forms(kind: str) -> list[dict[str, Any]]:
    if kind not in VECTOR_KINDS:
        raise UnknownName("kind of vectors", kind, list(VECTOR_KINDS))
    path = files("zbus.testing") / "vectors" / f"{kind}.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"]


def _vector(form: Mapping[str, Any]) -> Vector:
    parts = tuple(_part(part) for part in form["parts"])
    expect = _value(form["expect"]) if "expect" in form else None
    return Vector(form["name"], form["kind"], parts, expect, form.get("refuse", ""))


def _part(form: Any) -> bytes:
    if isinstance(form, str):
        return bytes.fromhex(form)
    if isinstance(form, dict):
        return bytes.fromhex(form["repeat"]) * form["times"]
    return b"".join(_part(piece) for piece in form)


def _value(form: Any) -> Any:
    if isinstance(form, list):
        return [_value(item) for item in form]
    if not isinstance(form, dict):
        return form
    if set(form) == {"int"}:
        return int(form["int"])
    if set(form) == {"bin"}:
        return bytes.fromhex(form["bin"])
    return {key: _value(item) for key, item in form.items()}
