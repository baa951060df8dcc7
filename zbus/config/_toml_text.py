"""Tables as the text of a TOML file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(tables: Mapping[str, Any]) -> str:
    """The TOML text of these tables; values that are None are left out."""
    return "\n".join(_lines([], tables)) + "\n"


def _lines(path: list[str], table: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and (plain or not table):
        yield f"[{'.'.join(map(_key, path))}]"
    if plain or (path and not table):
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
