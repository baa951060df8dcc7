"""A rig as the text of its file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from zbus.config._plans import Rig
from zbus.config._toml_text import write_toml


def write_rig(rig: Rig) -> str:
    """The rig file that says the same as `rig`."""
    own = {"name": rig.name, "reference": rig.reference or None, "keys": rig.keys or None}
    tables: dict[str, Any] = {"rig": own, "broker": _said(rig.broker)}
    for section in ("hosts", "cameras", "trackers"):
        tables[section] = {name: _said(plan) for name, plan in getattr(rig, section).items()}
    for section in ("overlay", "gateway", "edge"):
        plan = getattr(rig, section)
        tables |= {section: _said(plan)} if plan else {}
    if rig.hosts:
        tables["relay"] = _said(rig.relay)
    return write_toml(tables)


def _said(plan: Any) -> dict[str, Any]:
    """The settings of a plan, without a host, a key or an address that it does not name."""
    silent = ("host", "key", "directory", "publish", "subscribe")
    return {key: value for key, value in asdict(plan).items() if value != "" or key not in silent}
