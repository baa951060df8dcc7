"""The live set of each camera: what may be seen over its picture now (spec 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from zbus.overlay._fairness import sender_of
from zbus.overlay._shelf import Shelf
from zbus.wire import (
    CLEAR,
    LIFETIME_DEFAULT_S,
    LIFETIME_MAX_S,
    SHAPES_MAX_PER_CAMERA,
    Overlay,
    OverlaySet,
)

CAMERAS_MAX = 64
# Why: an overlay message's header may have 131 072 bytes, and the envelope needs some of them.
SET_MAX_BYTES = 114_688

_NS_PER_S = 1_000_000_000
_SHAPE_BYTES, _POINT_BYTES = 128, 19


@dataclass(frozen=True, slots=True)
class DoorDefaults:
    """What an overlay means at one door where it leaves something open.

    `within_px` (width, height) makes the door ignore every box with a corner outside that picture, where
    the box is for `camera` or names none.
    """

    camera: str = ""
    id: str = ""
    lifetime_s: float = LIFETIME_DEFAULT_S
    within_px: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.within_px is not None and (len(self.within_px) != 2 or min(self.within_px) < 1):
            raise ValueError("within_px must be [width, height], each 1 or more")
        if not 0 < self.lifetime_s <= LIFETIME_MAX_S:
            raise ValueError(f"lifetime_s must be above 0 and at most {LIFETIME_MAX_S:g}")

    def apply(self, overlay: Overlay) -> Overlay | None:
        """`overlay` with nothing left open, or None where this door ignores it."""
        is_mine = overlay.camera in ("", self.camera)
        if self.within_px and is_mine and overlay.verb == "DRAW_BOX" and not _inside(overlay, self.within_px):
            return None
        lifetime_s = self.lifetime_s if overlay.lifetime_s is None else overlay.lifetime_s
        return replace(
            overlay,
            camera=overlay.camera or self.camera,
            id=overlay.id or self.id,
            lifetime_s=lifetime_s,
        )


@dataclass(frozen=True, slots=True)
class _Shape:
    overlay: Overlay
    expires_ns: int


class OverlayStore:
    """The drawings alive over each camera: replaced by (camera, id), expiring, bounded, newest wins.

    Times are monotonic nanoseconds that the caller hands in. `cameras` are those of the rig: an overlay
    that names no camera goes to each of them. One thread uses a store.
    """

    def __init__(self, cameras: Iterable[str] = ()) -> None:
        self._sets: dict[str, _LiveSet] = {}
        self._cameras: tuple[str, ...] = ()
        self._next_id = 0
        self._counts: dict[str, int] = dict.fromkeys(_COUNTERS, 0)
        self.cameras = cameras

    @property
    def cameras(self) -> tuple[str, ...]:
        """The rig's cameras; of more than 64 the first 64 count."""
        return self._cameras

    @cameras.setter
    def cameras(self, names: Iterable[str]) -> None:
        self._cameras = tuple(dict.fromkeys(names))[:CAMERAS_MAX]
        strangers = [camera for camera in self._sets if camera not in self._cameras]
        room = CAMERAS_MAX - len(self._cameras)
        for camera in strangers[: max(0, len(strangers) - room)]:
            self._counts["evicted"] += len(self._sets.pop(camera).shelf)

    @property
    def counters(self) -> dict[str, int]:
        """Shapes accepted, replaced, expired, cleared, evicted since the start, and overlays refused.

        A shape counts once for each camera it is over; an overlay is refused where no camera has room for it.
        """
        return dict(self._counts)

    def put(self, overlay: Overlay, now_ns: int, sender: str = "") -> frozenset[str]:
        """Take an overlay, or clear what a CLEAR names. Returns the cameras whose set changed."""
        if overlay.verb == CLEAR:
            return self._clear(overlay.camera, overlay.id)
        targets = [overlay.camera] if overlay.camera else self._cameras
        changed = frozenset(camera for camera in targets if self._has_room_for(camera))
        if not changed:
            self._counts["refused"] += 1
        for camera in changed:
            self._draw(camera, overlay, now_ns, sender)
        return changed

    def expire(self, now_ns: int) -> frozenset[str]:
        """Drop what has outlived its lifetime. Returns the cameras whose set changed."""
        changed: set[str] = set()
        for camera, live in list(self._sets.items()):
            gone = live.expire(now_ns)
            self._counts["expired"] += gone
            if gone:
                changed.add(camera)
            if not live.shelf:
                del self._sets[camera]
        return frozenset(changed)

    def next_expiry_ns(self) -> int | None:
        """When to call `expire` next: never later than the first shape ends; None where nothing is alive."""
        return min((live.due_ns for live in self._sets.values()), default=None)

    def snapshot(self, camera: str, now_ns: int) -> OverlaySet:
        """What is alive over `camera`, oldest first, each with the lifetime that remains."""
        live = self._sets.get(camera)
        return OverlaySet(camera, live.remaining(now_ns) if live else ())

    def live_cameras(self) -> frozenset[str]:
        """The cameras with at least one shape."""
        return frozenset(self._sets)

    def _has_room_for(self, camera: str) -> bool:
        strangers = sum(name not in self._cameras for name in self._sets)
        known = camera in self._cameras or camera in self._sets
        return known or len(self._cameras) + strangers < CAMERAS_MAX

    def _draw(self, camera: str, overlay: Overlay, now_ns: int, sender: str) -> None:
        live = self._sets.setdefault(camera, _LiveSet())
        owner = sender_of(overlay, sender)
        shape_id = overlay.id or self._unused_id(live)
        shape = _Shape(replace(overlay, camera=camera, id=shape_id), now_ns + _lifetime_ns(overlay))
        self._counts["accepted"] += 1
        self._counts["replaced"] += shape_id in live.shelf
        self._counts["evicted"] += live.put(shape_id, shape, owner)

    def _unused_id(self, live: _LiveSet) -> str:
        while True:
            self._next_id += 1
            if (name := f"_{self._next_id}") not in live.shelf:
                return name

    def _clear(self, camera: str, shape_id: str) -> frozenset[str]:
        changed: set[str] = set()
        for name in [camera] if camera else list(self._sets):
            live = self._sets.get(name)
            gone = live.clear(shape_id) if live else 0
            self._counts["cleared"] += gone
            if gone:
                changed.add(name)
            if live and not live.shelf:
                del self._sets[name]
        return frozenset(changed)


class _LiveSet:
    """One camera's shapes by id. `due_ns` is never later than the first end among them."""

    def __init__(self) -> None:
        self.shelf: Shelf[str, _Shape] = Shelf(SHAPES_MAX_PER_CAMERA, SET_MAX_BYTES)
        self.due_ns = 2**63

    def put(self, shape_id: str, shape: _Shape, owner: str) -> int:
        self.due_ns = min(self.due_ns, shape.expires_ns)
        return self.shelf.put(shape_id, shape, owner, _wire_bytes(shape.overlay))

    def expire(self, now_ns: int) -> int:
        if now_ns < self.due_ns:
            return 0
        ended = [shape_id for shape_id, shape in self.shelf if shape.expires_ns <= now_ns]
        for shape_id in ended:
            self.shelf.pop(shape_id)
        self.due_ns = min((shape.expires_ns for _, shape in self.shelf), default=2**63)
        return len(ended)

    def clear(self, shape_id: str) -> int:
        if shape_id:
            return int(self.shelf.pop(shape_id) is not None)
        gone = len(self.shelf)
        self.shelf.clear()
        return gone

    def remaining(self, now_ns: int) -> tuple[Overlay, ...]:
        return tuple(
            replace(shape.overlay, lifetime_s=(shape.expires_ns - now_ns) / _NS_PER_S)
            for _, shape in self.shelf
            if shape.expires_ns > now_ns
        )


_COUNTERS = ("accepted", "replaced", "expired", "cleared", "evicted", "refused")


def _lifetime_ns(overlay: Overlay) -> int:
    lifetime_s = LIFETIME_DEFAULT_S if overlay.lifetime_s is None else overlay.lifetime_s
    return int(min(lifetime_s, LIFETIME_MAX_S) * _NS_PER_S)


def _wire_bytes(overlay: Overlay) -> int:
    """An upper bound of what the shape takes in a message: keys, texts in UTF-8, points of two doubles."""
    texts = (overlay.camera, overlay.id, overlay.label, overlay.geometry.get("TEXT", ""))
    points = max(2, len(overlay.geometry.get("POINTS", ())))
    return _SHAPE_BYTES + sum(len(text.encode()) for text in texts) + _POINT_BYTES * points


def _inside(overlay: Overlay, size_px: tuple[int, int]) -> bool:
    corners = (overlay.geometry["TOP_LEFT"], overlay.geometry["BOTTOM_RIGHT"])
    return all(0 <= x < size_px[0] and 0 <= y < size_px[1] for x, y in corners)
