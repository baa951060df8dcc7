"""Who is let in, and what each may do: the table of `allowed.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zbus.config import read_settings, write_toml
from zbus.errors import ConfigError, KeysError
from zbus.transport._client_key import check_key
from zbus.wire import is_source_name

KEYS_MAX = 1_024
PREFIXES_PER_KEY_MAX = 64
# No topic is longer (spec 2).
PREFIX_MAX_BYTES = 128

HEAD = "# Who is let in, and what each may do. Changed by: zbus keys new, add, revoke\n\n"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a key may do: topics it may publish and subscribe, by prefix; control nodes; draw overlays.

    A prefix ends in `/`, so that `frame/cam1/` is not also `frame/cam10/`; an empty one is everything.
    Without `control` it may still ask what there is: nodes, their endpoints and their state.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    control: bool = False
    overlay: bool = False

    def __post_init__(self) -> None:
        for name in ("publish", "subscribe"):
            prefixes = getattr(self, name)
            if len(prefixes) > PREFIXES_PER_KEY_MAX:
                raise ValueError(f"{name} has {len(prefixes)} prefixes, more than {PREFIXES_PER_KEY_MAX}")
            for prefix in prefixes:
                _check_prefix(name, prefix)

    def may_publish(self, topic: bytes) -> bool:
        """True where it may publish this topic."""
        return any(topic.startswith(prefix.encode()) for prefix in self.publish)

    def narrow(self, wanted: bytes) -> list[bytes]:
        """The part of the subscription `wanted` that it may have, as prefixes; empty where it is none."""
        prefixes = [prefix.encode() for prefix in self.subscribe]
        if any(wanted.startswith(prefix) for prefix in prefixes):
            return [wanted]
        return [prefix for prefix in prefixes if prefix.startswith(wanted)]


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """A key that is let in, by name, and its rights."""

    name: str
    public: str
    rights: Rights


def read_allowed(text: str, path: Path) -> dict[str, AllowedKey]:
    """The keys of `allowed.toml`, by name. Raises KeysError."""
    try:
        table = tomllib.loads(text)
        if len(table) > KEYS_MAX:
            raise ValueError(f"{len(table)} keys, more than {KEYS_MAX}")
        keys = {name: _read_entry(name, entry) for name, entry in table.items()}
    except (ValueError, RecursionError, ConfigError, KeysError) as error:
        told = error.cause if isinstance(error, ConfigError | KeysError) else str(error)
        raise KeysError(f"{path}: {told}", next_step="mend that file; zbus keys ls reads it too") from error
    _check_twice(keys, path)
    return keys


def write_allowed(keys: Mapping[str, AllowedKey]) -> str:
    """The text of `allowed.toml` with these keys."""
    tables = {name: {"public": key.public, **asdict(key.rights)} for name, key in sorted(keys.items())}
    return HEAD + (write_toml(tables) if tables else "")


def _read_entry(name: str, entry: Any) -> AllowedKey:
    if not is_source_name(name):
        raise ValueError(f"{name!r} is not a name of letters, digits, '.', '_' and '-'")
    if not isinstance(entry, dict):
        raise ValueError(f"{name} is not a table")
    values: dict[str, Any] = dict(entry)  # pyright: ignore[reportUnknownArgumentType]
    public = values.pop("public", None)
    if not isinstance(public, str):
        raise ValueError(f"{name}.public is missing")
    rights = read_settings(Rights, values, prefix=f"{name}.")
    return AllowedKey(name, check_key(public, f"public key of {name!r}"), rights)


def _check_prefix(name: str, prefix: str) -> None:
    if len(prefix) > PREFIX_MAX_BYTES or not prefix.isascii() or not prefix.isprintable():
        raise ValueError(f"{name} has {prefix!r}, which cannot begin a topic")
    if prefix and not prefix.endswith("/"):
        raise ValueError(f"{name} has {prefix!r}, which must end in '/': {prefix}/")


def _check_twice(keys: Mapping[str, AllowedKey], path: Path) -> None:
    seen: dict[str, str] = {}
    for name, key in keys.items():
        if key.public in seen:
            cause = f"{path}: {name} and {seen[key.public]} have the same public key"
            raise KeysError(cause, next_step="remove one of them: zbus keys revoke NAME")
        seen[key.public] = name


# What a key may do where nothing is said: look at everything, and draw.
VIEWER = Rights(subscribe=("",), overlay=True)
EVERYTHING = Rights(publish=("",), subscribe=("",), control=True, overlay=True)
