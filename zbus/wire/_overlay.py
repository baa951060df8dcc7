"""Overlays: drawings that anyone may push, as JSON or msgpack, and the live set (spec 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._header import check_number, read_list, read_map, read_number, read_text, unpack
from zbus.wire._json import load_json
from zbus.wire._limits import (
    COORDINATE_MAX_PX,
    LABEL_MAX_CHARS,
    LIFETIME_DEFAULT_S,
    LIFETIME_MAX_S,
    OVERLAY_BATCH_MAX,
    OVERLAY_MAX_BYTES,
    POINTS_MAX,
    SHAPES_MAX_PER_CAMERA,
)
from zbus.wire._topics import OVERLAY, is_source_name

CLEAR = "CLEAR"
DEFAULT_COLOR = (255, 0, 0)

Geometry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overlay:
    """One drawing, or the wish to clear some.

    `verb` is DRAW_BOX, DRAW_CIRCLE, DRAW_LINE, DRAW_POLYGON, DRAW_TEXT or CLEAR; `geometry` its fields in
    pixels of the camera's picture. `camera` "" means every camera of the rig; `id` "" means that nothing
    replaces it. `color` is red, green, blue. `lifetime_s` is None where the sender named none.
    """

    verb: str
    geometry: Geometry
    camera: str = ""
    id: str = ""
    label: str = ""
    color: tuple[int, int, int] = DEFAULT_COLOR
    lifetime_s: float | None = None

    def to_map(self, lifetime_s: float | None = None) -> dict[str, Any]:
        """The overlay in the form it travels in; `lifetime_s` in place of its own."""
        lifetime = self.lifetime_s if lifetime_s is None else lifetime_s
        form: dict[str, Any] = {self.verb: self.geometry, "id": self.id, "color": list(self.color)}
        form |= {"camera": self.camera} if self.camera else {}
        form |= {"label": self.label} if self.label else {}
        return form | ({"lifetime_s": LIFETIME_DEFAULT_S if lifetime is None else lifetime})


@dataclass(frozen=True, slots=True)
class OverlaySet:
    """The drawings alive over one camera now. Each one's `lifetime_s` is what is left of it."""

    kind: ClassVar[str] = OVERLAY

    camera: str
    shapes: tuple[Overlay, ...] = field(default=())

    def header(self) -> dict[str, Any]:
        """The keys an overlay set adds to the header."""
        if len(self.shapes) > SHAPES_MAX_PER_CAMERA:
            raise WireError("out_of_range", f"{len(self.shapes)} shapes, more than {SHAPES_MAX_PER_CAMERA}")
        return {"camera": self.camera, "shapes": [shape.to_map() for shape in self.shapes]}

    def payload(self) -> tuple[Buffer, ...]:
        """Nothing: the shapes are in the header."""
        return ()


def decode_overlay_set(message: Message) -> OverlaySet:
    """Read an overlay set. Raises WireError."""
    shapes = read_list(message.header, "shapes", SHAPES_MAX_PER_CAMERA)
    camera = read_text(message.header, "camera", 64)
    return OverlaySet(camera, tuple(parse_overlay(shape) for shape in shapes))


def decode_overlays(data: bytes) -> list[Overlay]:
    """Read what came through the overlay door: one overlay or an array of them, as JSON or as msgpack.

    Raises WireError; then nothing of the message counts.
    """
    if len(data) > OVERLAY_MAX_BYTES:
        raise WireError("too_large", f"{len(data)} bytes, more than {OVERLAY_MAX_BYTES}")
    value = load_json(data, OVERLAY_MAX_BYTES) if _looks_like_json(data) else unpack(data, OVERLAY_MAX_BYTES)
    forms = cast(list[Any], value) if isinstance(value, list) else [value]
    if len(forms) > OVERLAY_BATCH_MAX:
        raise WireError(
            "out_of_range", f"{len(forms)} overlays in one message, more than {OVERLAY_BATCH_MAX}"
        )
    return [parse_overlay(form) for form in forms]


def parse_overlay(form: Any) -> Overlay:
    """Check one overlay in its plain form. Unknown keys are ignored. Raises WireError."""
    if not isinstance(form, dict):
        raise WireError("wrong_type", f"an overlay is a map, not {type(form).__name__}")
    fields = cast(dict[str, Any], form)
    verbs = [key for key in fields if key in _GEOMETRIES]
    if len(verbs) != 1:
        raise WireError(
            "unknown_verb" if not verbs else "wrong_type", f"one of {', '.join(_GEOMETRIES)} is needed"
        )
    verb, read_geometry = _GEOMETRIES[verbs[0]]
    camera = read_text(fields, "camera", 64) if "camera" in fields else ""
    if camera and not is_source_name(camera):
        raise WireError("out_of_range", f"camera {camera[:40]!r} is not a camera id")
    return Overlay(
        verb=verb,
        geometry=read_geometry(read_map(fields, verbs[0])),
        camera=camera,
        id=read_text(fields, "id", 64) if "id" in fields else "",
        label=read_text(fields, "label", LABEL_MAX_CHARS) if "label" in fields else "",
        color=_color(fields["color"]) if "color" in fields else DEFAULT_COLOR,
        lifetime_s=read_number(fields, "lifetime_s", 0.0, LIFETIME_MAX_S) if "lifetime_s" in fields else None,
    )


def _looks_like_json(data: bytes) -> bool:
    # Why: "{" and "[" are the small integers 123 and 91 in msgpack, which no overlay is; a msgpack map or
    # array never starts with a byte below 0x80.
    return data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] in (b"{", b"[")


def _point(value: Any, name: str) -> list[float]:
    pair = cast(list[Any], value) if isinstance(value, list) else []
    if len(pair) != 2:
        raise WireError("wrong_type", f"{name} is not [x, y]")
    return [_keep_int(coordinate, name) for coordinate in pair]


def _keep_int(value: Any, name: str) -> float:
    number = check_number(value, name, -COORDINATE_MAX_PX, COORDINATE_MAX_PX)
    return value if isinstance(value, int) else number


def _points_of(*names: str) -> Callable[[Geometry], Geometry]:
    def read(fields: Geometry) -> Geometry:
        return {name: _point(_field(fields, name), name) for name in names}

    return read


def _circle(fields: Geometry) -> Geometry:
    radius = check_number(_field(fields, "RADIUS"), "RADIUS", 0.0, COORDINATE_MAX_PX)
    return {"CENTER": _point(_field(fields, "CENTER"), "CENTER"), "RADIUS": radius}


def _polygon(fields: Geometry) -> Geometry:
    points = read_list(fields, "POINTS", POINTS_MAX)
    if len(points) < 2:
        raise WireError("out_of_range", "POINTS has fewer than 2 points")
    return {"POINTS": [_point(point, "POINTS") for point in points]}


def _text(fields: Geometry) -> Geometry:
    return {"AT": _point(_field(fields, "AT"), "AT"), "TEXT": read_text(fields, "TEXT", LABEL_MAX_CHARS)}


def _nothing(_: Geometry) -> Geometry:
    return {}


def _field(fields: Geometry, name: str) -> Any:
    if name not in fields:
        raise WireError("missing_key", name)
    return fields[name]


def _color(value: Any) -> tuple[int, int, int]:
    parts = cast(list[Any], value) if isinstance(value, list) else []
    if len(parts) != 3 or not all(type(part) is int and 0 <= part <= 255 for part in parts):
        raise WireError("wrong_type", "color is not [red, green, blue] of 0..255")
    return (parts[0], parts[1], parts[2])


_BOX = _points_of("TOP_LEFT", "BOTTOM_RIGHT")
_GEOMETRIES: dict[str, tuple[str, Callable[[Geometry], Geometry]]] = {
    "DRAW_BOX": ("DRAW_BOX", _BOX),
    "DRAW_RECT": ("DRAW_BOX", _BOX),
    "DRAW_CIRCLE": ("DRAW_CIRCLE", _circle),
    "DRAW_LINE": ("DRAW_LINE", _points_of("FROM", "TO")),
    "DRAW_POLYGON": ("DRAW_POLYGON", _polygon),
    "DRAW_TEXT": ("DRAW_TEXT", _text),
    CLEAR: (CLEAR, _nothing),
}
VERBS = tuple(_GEOMETRIES)
