"""What is wrong in a rig file, told before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from zbus.config import Rig
from zbus.errors import ExposedAddress, UnknownName
from zbus.nodes import make_camera, make_tracker
from zbus.transport import is_exposed


def check_plans(rig: Rig) -> None:
    """Raises ConfigError naming file, line and key of the first plug-in or setting that does not exist.

    Cameras and trackers are made for it, which opens nothing.
    """
    for name, camera in rig.cameras.items():
        _check(rig, f"cameras.{name}.source", camera.source, partial(make_camera, name, camera, rig.place))
    for name, tracker in rig.trackers.items():
        make = partial(make_tracker, name, tracker, rig.place)
        _check(rig, f"trackers.{name}.tracker", tracker.tracker, make)


def check_locks(rig: Rig) -> None:
    """Raises ExposedAddress where other machines could reach the rig's relays and nothing locks them."""
    for name, host in rig.hosts.items():
        if is_exposed(host.relay_endpoint) and not rig.relay.insecure:
            raise ExposedAddress(
                f"the relay of {name} is at {host.address}, which others can reach, and nothing locks it",
                next_step="if everyone on this network may read and write: insecure = true in [relay]",
            )


def _check(rig: Rig, key: str, plugin: str, make: Callable[[], Any]) -> None:
    try:
        make()
    except UnknownName as error:
        key = key if error.name == plugin else f"{key.rpartition('.')[0]}.settings.{error.what}"
        expected = "one of " + ", ".join(error.known)
        raise rig.place.error(f"is {error.name!r}", key=key, expected=expected) from error
