"""Headers: plain msgpack maps, bounded in size and depth, and typed reading of their keys (spec 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs]

from zbus.errors import WireError
from zbus.wire._limits import HEADER_MAX_DEPTH, INTEGER_MAX, INTEGER_MIN

Header = Mapping[str, Any]

_CONTAINERS = (dict, list, tuple)

# Why: msgpack ships no types; these two names are all that is used of it.
_packb = cast(Callable[..., bytes], msgpack.packb)  # pyright: ignore
_unpackb = cast(Callable[..., Any], msgpack.unpackb)  # pyright: ignore


def pack_map(header: Header, max_bytes: int, *, single_floats: bool = False) -> bytes:
    """Write a map as msgpack. Raises WireError where `unpack_map` would refuse what was written."""
    _check_value(header, 0)
    try:
        data = _packb(header, use_single_float=single_floats)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError("bad_msgpack", f"cannot be packed: {error}") from error
    if len(data) > max_bytes:
        raise WireError("header_too_large", f"{len(data)} bytes, more than {max_bytes}")
    return data


def unpack_map(data: bytes, max_bytes: int) -> dict[str, Any]:
    """Read a msgpack map.

    Raises WireError: `header_too_large` before anything is decoded, `bad_msgpack` for what is truncated,
    has bytes behind it, uses extension types or keys that are not text, `header_not_map`, `header_too_deep`,
    `out_of_range` for a number that is not finite or an integer past 64 bits with sign.
    """
    value = unpack(data, max_bytes)
    if not isinstance(value, dict):
        raise WireError("header_not_map", f"a {type(value).__name__}")
    return cast(dict[str, Any], value)


def unpack(data: bytes, max_bytes: int) -> Any:
    """Read one bounded msgpack value of any type. Raises WireError as `unpack_map` does."""
    if len(data) > max_bytes:
        raise WireError("header_too_large", f"{len(data)} bytes, more than {max_bytes}")
    try:
        value = _unpackb(data, raw=False, strict_map_key=True, max_ext_len=0, ext_hook=_refuse_extension)
    except Exception as error:
        raise WireError("bad_msgpack", f"{type(error).__name__}: {error}") from error
    _check_value(value, 0)
    return value


def read_int(header: Header, key: str, low: int = 0, high: int = INTEGER_MAX) -> int:
    """The integer at `key`, within low..high.

    Raises WireError `missing_key`, `wrong_type` or `out_of_range`, as all these readers do.
    """
    value = _required(header, key)
    if type(value) is not int:
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not an integer")
    if not low <= value <= high:
        raise WireError("out_of_range", f"{key} is {value}, not in {low}..{high}")
    return value


def read_text(header: Header, key: str, max_chars: int = 128) -> str:
    """The text at `key`."""
    value = _required(header, key)
    if not isinstance(value, str):
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not a text")
    if len(value) > max_chars:
        raise WireError("out_of_range", f"{key} has {len(value)} characters, more than {max_chars}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        # Why: JSON can spell half a character (\ud800), which no message could carry on.
        raise WireError("wrong_type", f"{key} has half a character in it")
    return value


def read_number(header: Header, key: str, low: float, high: float) -> float:
    """The finite number at `key`, within low..high."""
    return check_number(_required(header, key), key, low, high)


def read_flag(header: Header, key: str) -> bool:
    """The boolean at `key`."""
    value = _required(header, key)
    if type(value) is not bool:
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not a boolean")
    return value


def read_map(header: Header, key: str) -> dict[str, Any]:
    """The map at `key`, empty where there is none. Raises WireError `wrong_type`."""
    value = header.get(key, {})
    if not isinstance(value, dict):
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not a map")
    return cast(dict[str, Any], value)


def read_list(header: Header, key: str, max_items: int) -> list[Any]:
    """The array at `key`, of at most `max_items`."""
    value = _required(header, key)
    if not isinstance(value, list):
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not an array")
    items = cast(list[Any], value)
    if len(items) > max_items:
        raise WireError("out_of_range", f"{key} has {len(items)} items, more than {max_items}")
    return items


def check_number(value: Any, name: str, low: float, high: float) -> float:
    """`value` as a finite float within low..high. Raises WireError `wrong_type` or `out_of_range`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError("wrong_type", f"{name} is {type(value).__name__}, not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise WireError("out_of_range", f"{name} is not finite")
    if not low <= value <= high:
        raise WireError("out_of_range", f"{name} is not in {low:g}..{high:g}")
    return float(value)


def _required(header: Header, key: str) -> Any:
    try:
        return header[key]
    except KeyError:
        raise WireError("missing_key", key) from None


def _refuse_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} of {len(data)} bytes")


def _check_value(value: Any, depth: int) -> None:
    """What every value must be, whoever reads it; the deepest call is one past the limit."""
    if type(value) in _CONTAINERS:
        _check_container(value, depth)
    elif type(value) is float:
        if not math.isfinite(value):
            raise WireError("out_of_range", "a number is not finite")
    elif type(value) is int and not INTEGER_MIN <= value <= INTEGER_MAX:
        raise WireError("out_of_range", "an integer is past 64 bits with sign")


def _check_container(value: Any, depth: int) -> None:
    if depth > HEADER_MAX_DEPTH:
        raise WireError("header_too_deep", f"deeper than {HEADER_MAX_DEPTH}")
    if isinstance(value, dict):
        fields = cast(dict[Any, Any], value)
        for key in fields:
            if type(key) is not str:
                raise WireError("bad_msgpack", f"a key is {type(key).__name__}, not a text")
        value = fields.values()
    for item in cast(Iterable[Any], value):
        _check_value(item, depth + 1)
