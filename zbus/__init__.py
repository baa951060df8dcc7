"""zbus: the bus on which a rig's cameras, trackers, recorders and experiments meet.

Importing this package is cheap: the names below are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Frame": "zbus.wire",
    "Tracks": "zbus.wire",
    "Publisher": "zbus.transport",
    "Subscriber": "zbus.transport",
    "Pusher": "zbus.transport",
    "Puller": "zbus.transport",
    "Requester": "zbus.transport",
    "ZbusError": "zbus.errors",
}

__all__ = [
    "Frame",
    "Publisher",
    "Puller",
    "Pusher",
    "Requester",
    "Subscriber",
    "Tracks",
    "ZbusError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zbus' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
