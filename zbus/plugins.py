"""Plug-ins by entry point: ours and a stranger's are found the same way."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from zbus.errors import UnknownName, ZbusError

GROUPS = (
    "zbus.cameras",
    "zbus.detectors",
    "zbus.trackers",
    "zbus.writers",
    "zbus.outputs",
    "zbus.gateways",
    "zbus.brokers",
)


def plugin_names(group: str) -> list[str]:
    """Names registered in `group`, sorted. Nothing is imported."""
    return sorted({point.name for point in entry_points(group=group)})


def load_plugin(group: str, name: str) -> Any:
    """Import and return what `name` stands for in `group`.

    Raises UnknownName where nobody registered it, ZbusError where its package cannot be imported.
    """
    point = _find(group, name)
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        owner = point.dist.name if point.dist else "its package"
        raise ZbusError(
            f"the plug-in {name!r} of {group} cannot be loaded: {error}",
            next_step=f"install what {owner} needs: pip install '{owner}[all]'",
        ) from error


def _find(group: str, name: str) -> EntryPoint:
    for point in entry_points(group=group):
        if point.name == name:
            return point
    raise UnknownName(group.removeprefix("zbus.").removesuffix("s"), name, plugin_names(group))
