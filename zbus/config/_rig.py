"""The rig file: the cameras and nodes of one setup, as TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zbus.config._host_checks import check_hosts, taken_names
from zbus.config._host_plans import HostPlan, RelayPlan
from zbus.config._plans import BrokerPlan, CameraPlan, EdgePlan, GatewayPlan, OverlayPlan, Rig, TrackerPlan
from zbus.config._settings import read_settings
from zbus.errors import ConfigError

RIG_FILE_MAX_BYTES = 1_048_576

_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Names of nodes that every rig has, or may have.
_TAKEN = {
    "directory": "the broker",
    "edge": "the edge",
    "gateway": "the gateway",
    "overlay": "the overlay door",
    "supervisor": "the supervisor",
}
_FREE_PORT = re.compile(r".*:(0|\*)")
_SECTIONS = ("rig", "broker", "cameras", "trackers", "overlay", "gateway", "edge", "hosts", "relay")
_RIG_KEYS = ("name", "reference", "keys")

_TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


class RigFile:
    """A rig file's text: reads it, and tells for every key on which line it stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _read_text(path)

    def load(self) -> Rig:
        """The rig. Raises ConfigError with path, line, key and what was expected."""
        table = self._parse()
        for key in table:
            if key not in _SECTIONS:
                expected = "one of " + ", ".join(_SECTIONS)
                raise self.error("is not a section of a rig file", key=key, expected=expected)
        rig = Rig(
            name=self._name(table),
            broker=self._broker(table),
            cameras=self._many(CameraPlan, table, "cameras"),
            trackers=self._many(TrackerPlan, table, "trackers"),
            overlay=self._one(OverlayPlan, table, "overlay"),
            gateway=self._one(GatewayPlan, table, "gateway"),
            edge=self._one(EdgePlan, table, "edge"),
            keys=self._keys(table),
            hosts=self._many(HostPlan, table, "hosts"),
            relay=self._one(RelayPlan, table, "relay") or RelayPlan(),
            reference=self._reference(table),
            place=self,
        )
        self._check_names(rig)
        check_hosts(rig)
        self._check_addresses(rig)
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
            plan = read_settings(cls, values, self, f"{section}.{name}.")
            if hasattr(plan, "settings"):
                plan = replace(plan, settings=self._with_paths(plan.settings))
            plans[name] = plan
        return plans

    def _with_paths(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings called `path` or `..._path` are meant from this file's folder, wherever one stands."""
        return {key: self._with_path(key, value) for key, value in settings.items()}

    def _with_path(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return self._with_paths(value)
        if isinstance(value, str) and value and (key == "path" or key.endswith("_path")):
            return self._from_here(value)
        return value

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except RecursionError as error:
            raise ConfigError("is nested too deeply", path=str(self.path)) from error
        except ValueError as error:
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) if found else len(self._text.splitlines()) or 1
            raise ConfigError(f"is not TOML: {error}", path=str(self.path), line=line) from error

    def _name(self, table: Mapping[str, Any]) -> str:
        values = table.get("rig", {})
        if not isinstance(values, dict):
            raise self.error(f"is {values!r}", key="rig", expected="a table with the rig's name")
        for key in values:
            if key not in _RIG_KEYS:
                expected = "one of " + ", ".join(_RIG_KEYS)
                raise self.error("is not a setting here", key=f"rig.{key}", expected=expected)
        name = values.get("name", _name_of(self.path))
        if not isinstance(name, str) or not _NODE_ID.fullmatch(name):
            raise self.error(f"is {name!r}", key="rig.name", expected="letters, digits, '.', '_' and '-'")
        return name

    def _broker(self, table: Mapping[str, Any]) -> BrokerPlan:
        plan = self._one(BrokerPlan, table, "broker") or BrokerPlan()
        return replace(plan, key=self._from_here(plan.key))

    def _keys(self, table: Mapping[str, Any]) -> str:
        keys = table.get("rig", {}).get("keys", "")
        if not isinstance(keys, str):
            raise self.error(f"is {keys!r}", key="rig.keys", expected="the path of a folder")
        return self._from_here(keys)

    def _from_here(self, path: str) -> str:
        return str(self.path.absolute().parent / path) if path else ""

    def _reference(self, table: Mapping[str, Any]) -> str:
        """The host whose clock counts: the one named, else the first."""
        hosts = table.get("hosts") or {"": None}
        reference = table.get("rig", {}).get("reference", next(iter(hosts)))
        if not isinstance(reference, str) or reference not in hosts:
            expected = "one of " + (", ".join(hosts) or "the hosts of this file, which has none")
            raise self.error(f"is {reference!r}", key="rig.reference", expected=expected)
        return reference

    def _check_names(self, rig: Rig) -> None:
        seen = dict(_TAKEN) | taken_names(rig)
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

    def _check_addresses(self, rig: Rig) -> None:
        seen: dict[str, str] = {}
        for key, address in _addresses(rig).items():
            if address in seen and not _FREE_PORT.fullmatch(address):
                raise self.error(f"is {address}, and so is {seen[address]}", key=key, expected="another port")
            seen[address] = key
        clash = rig.edge and rig.edge.clash({key: address for address, key in seen.items()})
        if clash:
            cause = f"takes the port of {clash[0]}: it needs four of its own in a row"
            raise self.error(cause, key="edge.bind", expected=f'a free place such as "{clash[1]}"')

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


def _addresses(rig: Rig) -> dict[str, str]:
    addresses = {
        f"broker.{name}": getattr(rig.broker, name) for name in ("directory", "publish", "subscribe")
    }
    addresses |= {"overlay.bind": rig.overlay.bind} if rig.overlay else {}
    return addresses | ({"gateway.bind": f"tcp://{rig.gateway.bind}"} if rig.gateway else {})


def _name_of(path: Path) -> str:
    """A rig that has no name is called after its file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).lstrip("._-")[:64] or "rig"


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"is {_kind_of(path)}", path=str(path), expected="a rig file in TOML")
        if path.stat().st_size > RIG_FILE_MAX_BYTES:
            expected = f"at most {RIG_FILE_MAX_BYTES} bytes"
            raise ConfigError("is too large for a rig file", path=str(path), expected=expected)
        # Why -sig: some editors put a byte order mark in front.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("is not a text file", path=str(path), expected="TOML in UTF-8") from error
    except OSError as error:
        step = "write one to start from: zbus demo --write-rig rig.toml"
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(path), next_step=step) from error


def _kind_of(path: Path) -> str:
    return "a folder" if path.is_dir() else "not a file"
