"""A rig as the text of its file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, time
from typing import Any

from zbus.config._plans import Rig

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def write_rig(rig: Rig) -> str:
    """The rig file that says the same as `rig`."""
    own = {"name": rig.name} | ({"reference": rig.reference} if rig.reference else {})
    tables: dict[str, Any] = {"rig": own, "broker": _said(rig.broker)}
    for section in ("hosts", "cameras", "trackers"):
        tables[section] = {name: _said(plan) for name, plan in getattr(rig, section).items()}
    for section in ("overlay", "gateway"):
        plan = getattr(rig, section)
        tables |= {section: _said(plan)} if plan else {}
    if rig.hosts:
        tables["relay"] = _said(rig.relay)
    return "\n".join(_lines([], tables)) + "\n"


def _said(plan: Any) -> dict[str, Any]:
    """The settings of a plan, without a host or an address that it does not name."""
    silent = ("host", "directory", "publish", "subscribe")
    return {key: value for key, value in asdict(plan).items() if value != "" or key not in silent}


def _lines(path: list[str], table: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and (plain or not table):
        yield f"[{'.'.join(map(_key, path))}]"
        yield from (f"{_key(key)} = {_value(value)}" for key, value in plain.items() if value is not None)
        yield ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines([*path, key], value)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    # Why: TOML spells numbers and booleans as Python does, but for capital letters.
    return repr(value).lower()


def _text(value: str) -> str:
    # Why: JSON's spelling is TOML's, but for the one control character that JSON lets through.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
