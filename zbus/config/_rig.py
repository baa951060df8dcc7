"""The rig file: the cameras and nodes of one setup, as TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zbus.config._settings import read_settings
from zbus.errors import ConfigError, UnknownName

RIG_FILE_MAX_BYTES = 1_048_576

_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """Where the rig's broker is: everybody's one known address."""

    directory: str = "tcp://127.0.0.1:5550"
    publish: str = "tcp://127.0.0.1:5551"
    subscribe: str = "tcp://127.0.0.1:5552"
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera: the plug-in `source` with its `settings`, and what its JPEG topic gives at most.

    `wait_for_subscriber` holds the camera back until somebody subscribes to its frames, so that a file is
    seen from its first picture on.
    """

    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    jpeg_hz: float = 30.0
    jpeg_quality: int = 80
    wait_for_subscriber: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError("jpeg_quality must be in 1..100")
        if not 0 < self.jpeg_hz <= 1000:
            raise ValueError("jpeg_hz must be above 0 and at most 1000")


@dataclass(frozen=True, slots=True)
class TrackerPlan:
    """One tracker: the plug-in `tracker` with its `settings`, on the frames of `camera`."""

    camera: str
    tracker: str = "blob"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OverlayPlan:
    """The door for overlays."""

    bind: str = "tcp://127.0.0.1:5556"
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """The live page and what else speaks HTTP."""

    bind: str = "127.0.0.1:8080"
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything a rig file says. Node ids are unique; `overlay` and `gateway` may be absent."""

    name: str = "rig"
    broker: BrokerPlan = BrokerPlan()
    cameras: Mapping[str, CameraPlan] = field(default_factory=dict)
    trackers: Mapping[str, TrackerPlan] = field(default_factory=dict)
    overlay: OverlayPlan | None = None
    gateway: GatewayPlan | None = None


class RigFile:
    """A rig file's text: reads it, and tells for every key on which line it stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _read_text(path)

    def load(self) -> Rig:
        """The rig. Raises ConfigError with path, line, key and what was expected."""
        try:
            table = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            cause = f"is not TOML: {error}"
            raise ConfigError(cause, path=str(self.path), line=int(line[1]) if line else 1) from error
        self._refuse_unknown(table)
        sections = {
            "broker": self._one(BrokerPlan, table, "broker") or BrokerPlan(),
            "cameras": self._many(CameraPlan, table, "cameras"),
            "trackers": self._many(TrackerPlan, table, "trackers"),
            "overlay": self._one(OverlayPlan, table, "overlay"),
            "gateway": self._one(GatewayPlan, table, "gateway"),
        }
        rig = Rig(name=self._name(table), **sections)
        self._check(rig)
        return rig

    def error(self, cause: str, *, key: str, expected: str = "", next_step: str = "") -> ConfigError:
        """An error at `key`, written with dots from the top of the file."""
        line = self._line_of(key)
        return ConfigError(
            cause, path=str(self.path), line=line, key=key, expected=expected, next_step=next_step
        )

    def _one(self, cls: type[Any], table: Mapping[str, Any], section: str) -> Any:
        if section not in table:
            return None
        values = table[section]
        if not isinstance(values, dict):
            raise self.error(f"is {values!r}", key=section, expected="a table")
        return read_settings(cls, values, self, f"{section}.")

    def _many(self, cls: type[Any], table: Mapping[str, Any], section: str) -> dict[str, Any]:
        named = table.get(section, {})
        if not isinstance(named, dict):
            raise self.error(f"is {named!r}", key=section, expected=f"tables like [{section}.NAME]")
        plans: dict[str, Any] = {}
        for name, values in named.items():
            if not isinstance(values, dict):
                raise self.error(
                    f"is {values!r}", key=f"{section}.{name}", expected=f"a table [{section}.NAME]"
                )
            plans[name] = read_settings(cls, values, self, f"{section}.{name}.")
        return plans

    def _name(self, table: Mapping[str, Any]) -> str:
        values = table.get("rig", {})
        name = values.get("name", self.path.stem) if isinstance(values, dict) else values
        if not isinstance(name, str) or not _NODE_ID.fullmatch(name):
            raise self.error(f"is {name!r}", key="rig.name", expected="letters, digits, '.', '_' and '-'")
        return name

    def _refuse_unknown(self, table: Mapping[str, Any]) -> None:
        known = ("rig", "broker", "cameras", "trackers", "overlay", "gateway")
        for key in table:
            if key not in known:
                raise self.error(
                    "is not a section of a rig file", key=key, expected="one of " + ", ".join(known)
                )

    def _check(self, rig: Rig) -> None:
        seen = {"overlay": "the overlay door", "gateway": "the gateway", "directory": "the broker"}
        for section in ("cameras", "trackers"):
            for name in getattr(rig, section):
                if not _NODE_ID.fullmatch(name):
                    expected = "a name of letters, digits, '.', '_' and '-'"
                    raise self.error("is not a node id", key=f"{section}.{name}", expected=expected)
                if name in seen:
                    cause = f"is the name of {seen[name]} already; every node needs its own"
                    raise self.error(cause, key=f"{section}.{name}")
                seen[name] = f"[{section}.{name}]"
        for name, plan in rig.trackers.items():
            if plan.camera not in rig.cameras:
                expected = "one of " + (", ".join(rig.cameras) or "the cameras of this file, which has none")
                raise self.error(f"is {plan.camera!r}", key=f"trackers.{name}.camera", expected=expected)

    def _line_of(self, key: str) -> int:
        """The line where the longest known beginning of `key` stands."""
        wanted, best, best_length = key.split("."), 1, 0
        here: list[str] = []
        for number, line in enumerate(self._text.splitlines(), 1):
            if table := _TABLE.match(line):
                here = found = _split(table[1])
            elif entry := _KEY.match(line):
                found = here + _split(entry[1])
            else:
                continue
            if found == wanted[: len(found)] and len(found) > best_length:
                best, best_length = number, len(found)
        return best


def load_rig(path: Path) -> Rig:
    """Read a rig file. Raises ConfigError with path, line, key and what was expected."""
    return RigFile(path).load()


def find_camera(rig: Rig, name: str) -> CameraPlan:
    """The plan of one camera. Raises UnknownName."""
    return _find(rig.cameras, "camera", name)


def find_tracker(rig: Rig, name: str) -> TrackerPlan:
    """The plan of one tracker. Raises UnknownName."""
    return _find(rig.trackers, "tracker", name)


def _find(plans: Mapping[str, Any], what: str, name: str) -> Any:
    if name not in plans:
        raise UnknownName(what, name, sorted(plans), next_step="use a name of the rig file")
    return plans[name]


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > RIG_FILE_MAX_BYTES:
            raise ConfigError("is too large for a rig file", path=str(path))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not a text file", path=str(path), expected="TOML in UTF-8") from error
    except OSError as error:
        step = "write one to start from: zbus demo --write-rig rig.toml"
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(path), next_step=step) from error
