"""Drawings on a picture, for front-ends that have no page. OpenCV is loaded with the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zbus.wire import LOST, Overlay, OverlaySet, Tracks

LINE_PX = 2
TRACK_COLORS = ((230, 25, 75), (60, 180, 75), (0, 130, 200), (245, 130, 48), (145, 30, 180), (70, 240, 240))
LOST_COLOR = (128, 128, 128)

_REACH_PX = 1_000_000
_FONT_SCALE = 0.5
_LABEL_GAP_PX = 4

Image = NDArray[np.uint8]
Point = tuple[int, int]


def draw_overlays(image: Image, overlays: OverlaySet) -> None:
    """Draw a camera's live set into `image`, oldest shape first.

    `image` is writable uint8, (height, width) or (height, width, 3 or 4) in BGR order; what lies outside of
    it is left out. Raises ValueError for another image.
    """
    canvas = _Canvas(image)
    for shape in overlays.shapes:
        _DRAWERS.get(shape.verb, _draw_nothing)(canvas, shape)


def draw_tracks(image: Image, tracks: Tracks) -> None:
    """Draw each track's box, centroid and id into `image`, as `draw_overlays` does; lost ones in gray."""
    canvas = _Canvas(image)
    rows = zip(
        tracks.track_ids.tolist(), tracks.centroids_px, tracks.boxes_xyxy_px, tracks.states, strict=True
    )
    for track_id, centroid, box, state in rows:
        color = LOST_COLOR if state == LOST else TRACK_COLORS[track_id % len(TRACK_COLORS)]
        canvas.box(_pixel(box[:2]), _pixel(box[2:]), color)
        canvas.circle(_pixel(centroid), LINE_PX, color)
        canvas.label(str(track_id), _pixel(box[:2]), color)


class _Canvas:
    """One picture and the few strokes that are needed, in red, green, blue."""

    def __init__(self, image: Image) -> None:
        if (
            image.dtype != np.uint8
            or image.ndim not in (2, 3)
            or (image.ndim == 3 and image.shape[2] not in (3, 4))
        ):
            raise ValueError(f"cannot draw on an array {image.shape} of {image.dtype}")
        if not image.flags.writeable:
            raise ValueError("cannot draw on a read-only picture: copy it first")
        import cv2

        self._cv2 = cv2
        self._image = image
        self._channels = 1 if image.ndim == 2 else image.shape[2]

    def box(self, first: Point, second: Point, color: Iterable[int]) -> None:
        if self._image.size:
            self._cv2.rectangle(self._image, first, second, self._color(color), LINE_PX)

    def circle(self, center: Point, radius_px: int, color: Iterable[int]) -> None:
        if self._image.size:
            self._cv2.circle(self._image, center, radius_px, self._color(color), LINE_PX)

    def lines(self, points: list[Point], color: Iterable[int], *, closed: bool) -> None:
        if self._image.size:
            corners = np.array(points, np.int32).reshape(-1, 1, 2)
            self._cv2.polylines(self._image, [corners], closed, self._color(color), LINE_PX)

    def text(self, text: str, at: Point, color: Iterable[int]) -> None:
        """Write with the text's bottom left corner at `at`; what the font lacks becomes a question mark."""
        plain = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
        if self._image.size and plain:
            font = self._cv2.FONT_HERSHEY_SIMPLEX
            self._cv2.putText(self._image, plain, at, font, _FONT_SCALE, self._color(color), 1)

    def label(self, text: str, corner: Point, color: Iterable[int]) -> None:
        """Write just above a shape's top left corner."""
        self.text(text, (corner[0], corner[1] - _LABEL_GAP_PX), color)

    def _color(self, color: Iterable[int]) -> tuple[float, ...]:
        red, green, blue = color
        if self._channels == 1:
            return (round(0.299 * red + 0.587 * green + 0.114 * blue),)
        return (blue, green, red, 255)[: self._channels]


def _draw_box(canvas: _Canvas, shape: Overlay) -> None:
    first, second = _pixel(shape.geometry["TOP_LEFT"]), _pixel(shape.geometry["BOTTOM_RIGHT"])
    canvas.box(first, second, shape.color)
    canvas.label(shape.label, (min(first[0], second[0]), min(first[1], second[1])), shape.color)


def _draw_circle(canvas: _Canvas, shape: Overlay) -> None:
    center = _pixel(shape.geometry["CENTER"])
    radius_px = min(round(shape.geometry["RADIUS"]), _REACH_PX)
    canvas.circle(center, radius_px, shape.color)
    canvas.label(shape.label, (center[0] - radius_px, center[1] - radius_px), shape.color)


def _draw_line(canvas: _Canvas, shape: Overlay) -> None:
    ends = [_pixel(shape.geometry["FROM"]), _pixel(shape.geometry["TO"])]
    canvas.lines(ends, shape.color, closed=False)
    canvas.label(shape.label, ends[0], shape.color)


def _draw_polygon(canvas: _Canvas, shape: Overlay) -> None:
    points = [_pixel(point) for point in shape.geometry["POINTS"]]
    canvas.lines(points, shape.color, closed=True)
    canvas.label(shape.label, (min(x for x, _ in points), min(y for _, y in points)), shape.color)


def _draw_text(canvas: _Canvas, shape: Overlay) -> None:
    canvas.text(shape.geometry["TEXT"], _pixel(shape.geometry["AT"]), shape.color)


def _draw_nothing(canvas: _Canvas, shape: Overlay) -> None:
    """A verb this version does not know has no look."""


def _pixel(point: Any) -> Point:
    # Why: OpenCV takes 32 bit integers, and a tracker's prediction may be anywhere, or nowhere.
    x, y = np.nan_to_num(np.asarray(point, np.float64), nan=-_REACH_PX).clip(-_REACH_PX, _REACH_PX)
    return round(float(x)), round(float(y))


_DRAWERS: dict[str, Callable[[_Canvas, Overlay], None]] = {
    "DRAW_BOX": _draw_box,
    "DRAW_CIRCLE": _draw_circle,
    "DRAW_LINE": _draw_line,
    "DRAW_POLYGON": _draw_polygon,
    "DRAW_TEXT": _draw_text,
}
