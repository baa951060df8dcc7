"""A rig as the text of its file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from zbus.config._rig import Rig


def write_rig(rig: Rig) -> str:
    """The rig file that says the same as `rig`."""
    tables: dict[str, Any] = {"rig": {"name": rig.name}, "broker": asdict(rig.broker)}
    tables["cameras"] = {name: asdict(plan) for name, plan in rig.cameras.items()}
    tables["trackers"] = {name: asdict(plan) for name, plan in rig.trackers.items()}
    for section in ("overlay", "gateway"):
        plan = getattr(rig, section)
        tables |= {section: asdict(plan)} if plan else {}
    return "\n".join(_lines([], tables)) + "\n"


def _lines(path: list[str], table: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and plain:
        yield f"[{'.'.join(map(_key, path))}]"
        yield from (f"{_key(key)} = {_value(value)}" for key, value in plain.items())
        yield ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines([*path, key], value)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # Why: for texts, numbers and booleans JSON's spelling is TOML's.
    return json.dumps(value, ensure_ascii=False)
