"""What is wrong in a rig file, told before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from zbus.cli._options import keys_folder
from zbus.config import Rig
from zbus.errors import ExposedAddress, UnknownName
from zbus.nodes import make_camera, make_tracker
from zbus.transport import KeysFolder, is_exposed


def check_plans(rig: Rig) -> None:
    """Raises ConfigError naming file, line and key of the first plug-in or setting that does not exist.

    Cameras and trackers are made for it, which opens nothing.
    """
    for name, camera in rig.cameras.items():
        _check(rig, f"cameras.{name}.source", camera.source, partial(make_camera, name, camera, rig.place))
    for name, tracker in rig.trackers.items():
        make = partial(make_tracker, name, tracker, rig.place)
        _check(rig, f"trackers.{name}.tracker", tracker.tracker, make)


def relay_keys(rig: Rig) -> Path | None:
    """The keys folder that locks the relays of a rig; None where it says `insecure`, or all is on loopback.

    Raises ExposedAddress where other machines could reach a relay and there is no key of the rig, KeysError.
    """
    exposed = [name for name, host in rig.hosts.items() if is_exposed(host.relay_endpoint)]
    if rig.relay.insecure or not rig.hosts or not (exposed or rig.keys):
        return None
    folder = KeysFolder(keys_folder(None, rig))
    if not folder.has_rig_key:
        where = f"{exposed[0]} is at {rig.hosts[exposed[0]].address}" if exposed else "this rig says keys"
        raise ExposedAddress(
            f"the relay of {where}, and {folder.folder} has no key of this rig to lock it",
            next_step=f"make it: zbus keys new --keys '{folder.folder}'; carry the folder to every host",
        )
    folder.rig_key()
    return folder.folder


def _check(rig: Rig, key: str, plugin: str, make: Callable[[], Any]) -> None:
    try:
        make()
    except UnknownName as error:
        key = key if error.name == plugin else f"{key.rpartition('.')[0]}.settings.{error.what}"
        expected = "one of " + ", ".join(error.known)
        raise rig.place.error(f"is {error.name!r}", key=key, expected=expected) from error
