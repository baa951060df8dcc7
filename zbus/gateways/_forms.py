"""Messages of the bus in the form in which JSON speaks of them.

Times are whole microseconds, `_us`: a double, which is all that JSON has in a browser, loses nanoseconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from zbus.gateways._nodes import Node
from zbus.transport import Received
from zbus.wire import Event, Frame, Overlay, OverlaySet, TracksMessage

PIXEL_DECIMALS = 2
AGE_MAX_MS = 60_000.0

Form = dict[str, Any]


def node_form(node: Node) -> Form:
    """A node and its state."""
    state = node.state
    return {
        "node": node.node,
        "role": state.role,
        "state": state.state,
        "cause": state.cause,
        "since_us": state.since_ns // 1_000,
        "host": state.host,
        "pid": state.pid,
        "counters": plain(state.counters),
        "settings": plain(state.settings),
        "details": plain(state.details),
    }


def camera_form(node: Node) -> Form:
    """A camera, its state, and the size of its pictures where it told that."""
    state = node.state
    return {
        "camera": node.node,
        "state": state.state,
        "cause": state.cause,
        "since_us": state.since_ns // 1_000,
        "width": plain(state.details.get("width")),
        "height": plain(state.details.get("height")),
    }


def tracks_form(received: Received, body: TracksMessage, is_here: bool) -> Form:
    """The tracks of one frame, in columns as on the wire."""
    tracks = body.tracks
    return {
        "camera": body.camera,
        "source": received.topic.source,
        "frame_number": body.frame_number,
        "captured_us": body.captured_ns // 1_000,
        "age_ms": age_ms(body, is_here),
        "track_ids": tracks.track_ids.tolist(),
        "centroids_px": tracks.centroids_px.round(PIXEL_DECIMALS).tolist(),
        "boxes_xyxy_px": tracks.boxes_xyxy_px.round(PIXEL_DECIMALS).tolist(),
        "scores": tracks.scores.round(3).tolist(),
        "class_ids": tracks.class_ids.tolist(),
        "states": list(tracks.states),
    }


def overlay_form(body: OverlaySet, waited_s: float = 0.0) -> Form:
    """The live set of a camera, `waited_s` after it came: without what has ended since."""
    left = [(shape, (shape.lifetime_s or 0.0) - waited_s) for shape in body.shapes]
    return {
        "camera": body.camera,
        "shapes": [_shape_form(shape, left_s) for shape, left_s in left if left_s > 0],
    }


def event_form(received: Received, event: Event) -> Form:
    """An event, who told it, and when."""
    return {
        "node": received.origin.node,
        "event": event.event,
        "published_us": received.origin.published_ns // 1_000,
        "fields": plain(event.fields),
    }


def picture_form(frame: Frame, is_here: bool) -> Form:
    """What goes along with a picture."""
    return {
        "camera": frame.camera,
        "frame_number": frame.frame_number,
        "captured_us": frame.captured_ns // 1_000,
        "width": frame.width,
        "height": frame.height,
        "age_ms": age_ms(frame, is_here),
    }


def waited_s(received: Received) -> float:
    """How long ago a message came."""
    return (time.monotonic_ns() - received.received_mono_ns) / 1e9


def age_ms(body: Frame | TracksMessage, is_here: bool) -> float:
    """How long ago the picture was captured: by one monotonic clock where its camera runs on this host
    (`is_here`), else by the two hosts' UTC.
    """
    by_mono_ms = (time.monotonic_ns() - body.mono_ns) / 1e6
    # Why: a container may bear its host's name and yet have another monotonic clock.
    if is_here and 0 <= by_mono_ms <= AGE_MAX_MS:
        return round(by_mono_ms, 1)
    return round((time.time_ns() - body.captured_ns) / 1e6, 1)


def plain(value: Any) -> Any:
    """Any value of a message as JSON can hold it: `x_ns` becomes `x_us`, bytes become hexadecimal."""
    if isinstance(value, Mapping):
        return dict(_plain_item(str(key), item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _plain_item(key: str, value: Any) -> tuple[str, Any]:
    if key.endswith("_ns") and type(value) is int:
        return f"{key.removesuffix('_ns')}_us", value // 1_000
    return key, plain(value)


def _shape_form(shape: Overlay, left_s: float) -> Form:
    return shape.to_map(lifetime_s=round(left_s, 3))
