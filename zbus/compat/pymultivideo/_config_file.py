"""pyMultiVideo's own settings files: the rates of `server_config`, the addresses of each camera."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from zbus.compat.pymultivideo._settings import FrontEndSettings
from zbus.config import read_settings
from zbus.errors import ConfigError, WireError
from zbus.wire import load_json

CONFIG_MAX_BYTES = 1_048_576

_SERVER_NAMES = ("server_config", "socket_config")
_SERVER_KEYS = ("put_rate", "pull_rate")
_CAMERA_KEYS = ("pub_server_address", "pull_server_address", "unique_id")
_OUR_NAMES = {"pub_server_address": "pub_address", "pull_server_address": "pull_address"}


def apply_config_file(settings: FrontEndSettings) -> FrontEndSettings:
    """`settings` with what the file at `config` says, where it was not asked for otherwise.

    The file is JSON, or a config.py whose `server_config` is a plain literal; nothing of it is executed.
    Keys that mean nothing here are ignored. Raises ConfigError naming the file and the key.
    """
    if not settings.config:
        return settings
    found = _server_settings(table := _read(settings.config)) | _camera_settings(table, settings)
    # Why: a frozen dataclass does not tell what was given; a default that was typed out counts as not given.
    defaults = {each.name: each.default for each in fields(FrontEndSettings)}
    taken = {key: value for key, value in found.items() if getattr(settings, key) == defaults[key]}
    return read_settings(FrontEndSettings, {**asdict(settings), **taken}, _ConfigFile(settings.config))


class _ConfigFile:
    def __init__(self, path: str) -> None:
        self._path = path

    def error(self, cause: str, *, key: str, expected: str = "", next_step: str = "") -> ConfigError:
        return ConfigError(cause, path=self._path, key=key, expected=expected, next_step=next_step)


def _read(path: str) -> Any:
    try:
        if Path(path).stat().st_size > CONFIG_MAX_BYTES:
            raise ConfigError("is too large for a settings file", path=path)
        data = Path(path).read_bytes()
        return _literals(data) if path.endswith(".py") else load_json(data, CONFIG_MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    except (WireError, ValueError, SyntaxError) as error:
        step = 'write JSON: {"server_config": {"put_rate": 10, "pull_rate": 10}}'
        raise ConfigError(f"cannot be understood: {error}", path=path, next_step=step) from error


def _literals(source: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in _SERVER_NAMES:
                found[name] = ast.literal_eval(statement.value)
    return found


def _server_settings(table: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _SERVER_NAMES:
        section = _map(_map(table).get(name))
        found |= {key: section[key] for key in _SERVER_KEYS if key in section}
    return found


def _camera_settings(table: Any, settings: FrontEndSettings) -> dict[str, Any]:
    for name, entry in _entries(table):
        names = (name, entry.get("unique_id"), entry.get("name"))
        if _is_same_camera({each for each in names if isinstance(each, str)}, settings):
            kept = {key: entry[key] for key in _CAMERA_KEYS if key in entry}
            return {_OUR_NAMES.get(key, key): value for key, value in kept.items()}
    return {}


def _entries(table: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each camera's settings with the name they stand under: in a list, or in a map by name."""
    if isinstance(table, list):
        yield from (("", _map(entry)) for entry in cast(list[Any], table))
        return
    for name, entry in _map(table).items():
        if name in ("cameras", "camera_configs"):
            yield from _entries(entry)
        else:
            yield name, _map(entry)


def _is_same_camera(names: set[str], settings: FrontEndSettings) -> bool:
    wanted = {settings.camera, settings.picture_id}
    # Why: pyMultiVideo's unique_id is <serial>-<module>, and the serial number is our camera id.
    serials = {name.rpartition("-")[0] for name in names}
    return bool(wanted & (names | serials))


def _map(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}
