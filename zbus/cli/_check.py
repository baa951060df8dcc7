"""What is wrong in a rig file, told before anything is started."""

from __future__ import annotations

from zbus.config import Rig, RigFile, read_settings
from zbus.errors import UnknownName
from zbus.plugins import load_plugin


def check_plans(rig: Rig, source: RigFile) -> None:
    """Raises ConfigError naming file, line and key of the first plug-in or setting that does not exist."""
    for name, camera in rig.cameras.items():
        _check(source, "zbus.cameras", f"cameras.{name}", "source", camera.source, camera.settings)
    for name, tracker in rig.trackers.items():
        _check(source, "zbus.trackers", f"trackers.{name}", "tracker", tracker.tracker, tracker.settings)


def _check(source: RigFile, group: str, table: str, key: str, plugin: str, settings: object) -> None:
    try:
        loaded = load_plugin(group, plugin)
    except UnknownName as error:
        expected = "one of " + ", ".join(error.known)
        raise source.error(f"is {plugin!r}", key=f"{table}.{key}", expected=expected) from error
    assert isinstance(settings, dict)
    read_settings(loaded.Settings, settings, source, f"{table}.settings.")
