"""Headers: plain msgpack maps, bounded in size and depth, and typed reading of their keys (spec 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs]

from zbus.errors import WireError
from zbus.wire._limits import HEADER_MAX_DEPTH, INTEGER_MAX, INTEGER_MIN

Header = Mapping[str, Any]

NOTHING: Set[str] = frozenset()

_CONTAINERS = (dict, list, tuple)

# Why: msgpack ships no types; these two names are all that is used of it.
_packb = cast(Callable[..., bytes], msgpack.packb)  # pyright: ignore
_unpackb = cast(Callable[..., Any], msgpack.unpackb)  # pyright: ignore


def pack_map(
    header: Header, max_bytes: int, *, single_floats: bool = False, checked: Set[str] = NOTHING
) -> bytes:
    """Write a map as msgpack. Raises WireError where `unpack_map` would refuse what was written.

    The values of the keys in `checked` are not looked at: whoever made them has done so.
    """
    check_map(header, checked)
    try:
        data = _packb(header, use_single_float=single_floats)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError("bad_msgpack", f"cannot be packed: {error}") from error
    if len(data) > max_bytes:
        raise WireError("header_too_large", f"{len(data)} bytes, more than {max_bytes}")
    return data


def append_keys(data: bytes, keys: Header, max_bytes: int) -> bytes:
    """A packed map with `keys` behind its own, none of which is looked at: where a key comes twice, the last
    one counts (spec 1). Raises WireError where it is no map, or too large then.
    """
    start, count = _map_start(data)
    total = count + len(keys)
    head = bytes([0x80 | total]) if total < 16 else b"\xdf" + total.to_bytes(4, "big")
    own = pack_map(keys, max_bytes)
    # Why: the few keys of one of ours have a head of one byte.
    appended = b"".join([head, data[start:], own[_map_start(own)[0] :]])
    if len(appended) > max_bytes:
        raise WireError("header_too_large", f"{len(appended)} bytes, more than {max_bytes}")
    return appended


def unpack_map(data: bytes, max_bytes: int, *, checked: Set[str] = NOTHING) -> dict[str, Any]:
    """Read a msgpack map.

    Raises WireError: `header_too_large` before anything is decoded, `bad_msgpack` for what is truncated,
    has bytes behind it, uses extension types or keys that are not text, `header_not_map`, `header_too_deep`,
    `out_of_range` for a number that is not finite or an integer past 64 bits with sign. The values of the
    keys in `checked` are not looked at: whoever reads them does so.
    """
    value = _unpack_unchecked(data, max_bytes)
    if not isinstance(value, dict):
        check_value(value)
        raise WireError("header_not_map", f"a {type(value).__name__}")
    header = cast(dict[str, Any], value)
    check_map(header, checked)
    return header


def unpack(data: bytes, max_bytes: int) -> Any:
    """Read one bounded msgpack value of any type. Raises WireError as `unpack_map` does."""
    value = _unpack_unchecked(data, max_bytes)
    check_value(value)
    return value


def read_int(header: Header, key: str, low: int = 0, high: int = INTEGER_MAX) -> int:
    """The integer at `key`, within low..high.

    Raises WireError `missing_key`, `wrong_type` or `out_of_range`, as all these readers do.
    """
    value = header.get(key)
    if type(value) is not int:
        raise _not_a(header, key, "an integer")
    if not low <= value <= high:
        raise WireError("out_of_range", f"{key} is {value}, not in {low}..{high}")
    return value


def read_text(header: Header, key: str, max_chars: int = 128) -> str:
    """The text at `key`."""
    value = header.get(key)
    if not isinstance(value, str):
        raise _not_a(header, key, "a text")
    if len(value) > max_chars:
        raise WireError("out_of_range", f"{key} has {len(value)} characters, more than {max_chars}")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        # Why: JSON can spell half a character (\ud800), which no message could carry on.
        raise WireError("wrong_type", f"{key} has half a character in it")
    return value


def read_number(header: Header, key: str, low: float, high: float) -> float:
    """The finite number at `key`, within low..high."""
    if key not in header:
        raise WireError("missing_key", key)
    return check_number(header[key], key, low, high)


def read_flag(header: Header, key: str) -> bool:
    """The boolean at `key`."""
    value = header.get(key)
    if type(value) is not bool:
        raise _not_a(header, key, "a boolean")
    return value


def read_map(header: Header, key: str) -> dict[str, Any]:
    """The map at `key`, empty where there is none. Raises WireError `wrong_type`."""
    value = header.get(key, {})
    if not isinstance(value, dict):
        raise WireError("wrong_type", f"{key} is {type(value).__name__}, not a map")
    return cast(dict[str, Any], value)


def read_list(header: Header, key: str, max_items: int) -> list[Any]:
    """The array at `key`, of at most `max_items`."""
    value = header.get(key)
    if not isinstance(value, list):
        raise _not_a(header, key, "an array")
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


def check_map(header: Header, checked: Set[str] = NOTHING) -> None:
    """Raises WireError for a key or a value that no header has; skips the values of `checked` keys."""
    for key, value in header.items():
        # Why the commonest types are asked here too: a call for each value is most of what this would cost.
        if type(key) is not str:
            raise WireError("bad_msgpack", f"a key is {type(key).__name__}, not a text")
        if type(value) is str or (type(value) is int and INTEGER_MIN <= value <= INTEGER_MAX):
            continue
        if key not in checked:
            _check_item(value, 0)


def check_value(value: Any, depth: int = 0) -> None:
    """Raises WireError for a value that no header has, `depth` containers deep in it."""
    _check_item(value, depth - 1)


def _unpack_unchecked(data: bytes, max_bytes: int) -> Any:
    if len(data) > max_bytes:
        raise WireError("header_too_large", f"{len(data)} bytes, more than {max_bytes}")
    try:
        return _unpackb(data, raw=False, strict_map_key=True, max_ext_len=0, ext_hook=_refuse_extension)
    except Exception as error:
        raise WireError("bad_msgpack", f"{type(error).__name__}: {error}") from error


def _map_start(data: bytes) -> tuple[int, int]:
    """Where the first key of a packed map stands, and how many there are."""
    kind = data[:1]
    if b"\x80" <= kind <= b"\x8f":
        return 1, kind[0] & 0x0F
    if kind == b"\xde" and len(data) >= 3:
        return 3, int.from_bytes(data[1:3], "big")
    if kind == b"\xdf" and len(data) >= 5:
        return 5, int.from_bytes(data[1:5], "big")
    raise WireError("header_not_map", f"begins with {kind!r}")


def _refuse_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} of {len(data)} bytes")


def _not_a(header: Header, key: str, wanted: str) -> WireError:
    if key not in header:
        return WireError("missing_key", key)
    return WireError("wrong_type", f"{key} is {type(header[key]).__name__}, not {wanted}")


def _check_item(item: Any, depth: int) -> None:
    """What every value must be, whoever reads it; it stands in a container `depth` deep."""
    if type(item) is int:
        if not INTEGER_MIN <= item <= INTEGER_MAX:
            raise WireError("out_of_range", "an integer is past 64 bits with sign")
    elif type(item) in _CONTAINERS:
        _check_container(item, depth + 1)
    elif isinstance(item, float) and not math.isfinite(item):
        raise WireError("out_of_range", "a number is not finite")


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
        if type(item) is not str:
            _check_item(item, depth)
