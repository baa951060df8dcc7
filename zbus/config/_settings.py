"""Settings from a rig file or a command line: plain dataclasses, checked field by field."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from zbus.errors import ConfigError

SettingsT = TypeVar("SettingsT")


class Place(typing.Protocol):
    """Tells where a key stands, so that an error can name the line."""

    def error(self, cause: str, *, key: str, expected: str = "", next_step: str = "") -> ConfigError: ...


class CommandLine:
    """The place of settings that no file holds."""

    def error(self, cause: str, *, key: str, expected: str = "", next_step: str = "") -> ConfigError:
        return ConfigError(cause, key=key, expected=expected, next_step=next_step)


def read_settings(
    cls: type[SettingsT], values: Mapping[str, Any], place: Place | None = None, prefix: str = ""
) -> SettingsT:
    """Build the settings dataclass `cls` from `values`.

    Every value must have the field's declared type (an int is taken for a float, a list for a tuple);
    a check of the whole in `__post_init__` may raise ValueError, whose text is shown. Raises ConfigError
    naming the key, and through `place` the file and line.
    """
    place = place or CommandLine()
    known = {field.name: field for field in fields(typing.cast(Any, cls)) if field.init}
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in known:
            raise place.error(
                "is not a setting here", key=prefix + key, expected="one of " + ", ".join(sorted(known))
            )
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise place.error("is missing", key=prefix + name, expected=describe_type(hints[name]))
    taken = {key: _take(value, hints[key], place, prefix + key) for key, value in values.items()}
    try:
        return cls(**taken)
    except ValueError as error:
        # Why: by convention the text of such an error begins with the name of the field.
        key, _, cause = str(error).partition(" ")
        if key in known:
            raise place.error(cause, key=prefix + key) from error
        raise place.error(str(error), key=prefix.rstrip(".")) from error


def describe_type(hint: Any) -> str:
    """A type in the words of a person who writes a rig file."""
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table"}
    if hint in names:
        return names[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(repr(arg) for arg in args)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(describe_type(arg) for arg in args if arg is not type(None))
    if origin in (list, tuple):
        return _describe_list(origin, args)
    if origin in (dict, Mapping) or origin is typing.get_origin(Mapping[str, Any]):
        return "a table"
    return getattr(hint, "__name__", str(hint))


def _describe_list(origin: Any, args: Sequence[Any]) -> str:
    if origin is tuple and args and Ellipsis not in args:
        return f"a list of {len(args)}: {', '.join(map(describe_type, args))}"
    return "a list, each " + describe_type(args[0]) if args else "a list"


def _take(value: Any, hint: Any, place: Place, key: str) -> Any:
    if hint is Any or _fits(value, hint):
        return _shape(value, hint)
    raise place.error(f"is {value!r}", key=key, expected=describe_type(hint))


def _fits(value: Any, hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, arg) for arg in args)
    if origin is typing.Literal:
        return value in args
    if origin in (list, tuple):
        return isinstance(value, list | tuple) and _items_fit(value, args, is_fixed=origin is tuple)
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Any:
        return True
    return isinstance(value, origin or hint)


def _items_fit(items: Sequence[Any], args: Sequence[Any], *, is_fixed: bool) -> bool:
    if is_fixed and args and Ellipsis not in args:
        return len(items) == len(args) and all(map(_fits, items, args))
    return not args or all(_fits(item, args[0]) for item in items)


def _shape(value: Any, hint: Any) -> Any:
    if hint is float and isinstance(value, int):
        return float(value)
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    return value
