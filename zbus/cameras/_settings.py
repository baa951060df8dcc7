"""Settings of a running camera, by GenICam name: what they may be, checked before anything is touched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from zbus.cameras._camera import Setting
from zbus.errors import CameraError


class WrongValue(ValueError):
    """A field `key` of a settings dataclass that cannot be so; `cause` reads on after its name."""

    def __init__(self, key: str, cause: str) -> None:
        super().__init__(f"{key} {cause}")
        self.key = key


@dataclass(frozen=True, slots=True)
class Feature:
    """What one setting may be.

    `kind` is bool, int, float or str. `minimum` and `maximum` bound a number, both included; `choices` lists
    the texts allowed, all where it is empty. Where `writable` is false the setting can only be read.
    """

    kind: type
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    writable: bool = True


def check_changes(
    camera_id: str, features: Mapping[str, Feature], changes: Mapping[str, Setting]
) -> dict[str, Setting]:
    """Return `changes` in the types that `features` declare, an int becoming a float where one is wanted.

    Raises CameraError naming the first setting that is unknown, read-only, of another type or out of range.
    """
    return {name: _check(camera_id, name, features, value) for name, value in changes.items()}


def not_open(camera_id: str) -> CameraError:
    """The error of a camera that is asked for something before `open` or after `close`."""
    return CameraError(f"camera {camera_id} is not open", next_step="call open() first")


def _check(camera_id: str, name: str, features: Mapping[str, Feature], value: Setting) -> Setting:
    feature = features.get(name)
    if feature is None:
        raise CameraError(
            f"camera {camera_id} has no setting {name}",
            next_step=f"choose one of {', '.join(sorted(features))}",
        )
    if not feature.writable:
        raise CameraError(
            f"camera {camera_id}: {name} cannot be changed while the camera is open",
            next_step="change it in the rig file and start the camera again",
        )
    taken = float(value) if feature.kind is float and type(value) is int else value
    if type(taken) is not feature.kind or not _within(feature, taken):
        raise CameraError(
            f"camera {camera_id}: {name} cannot be {value!r}", next_step=f"give {_describe(feature)}"
        )
    return taken


def _within(feature: Feature, value: Setting) -> bool:
    if isinstance(value, str):
        return not feature.choices or value in feature.choices
    return feature.minimum <= value <= feature.maximum


def _describe(feature: Feature) -> str:
    if feature.choices:
        return "one of " + ", ".join(feature.choices)
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", feature.minimum), ("at most", feature.maximum))
        if feature.kind in (int, float) and math.isfinite(bound)
    ]
    return " ".join([names[feature.kind], " and ".join(bounds)]).strip()
