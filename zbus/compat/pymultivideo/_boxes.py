"""What clients push, as overlays of one camera. No I/O."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence

from zbus.errors import WireError
from zbus.overlay import DoorDefaults
from zbus.wire import OVERLAY_MAX_BYTES, SHAPES_MAX_PER_CAMERA, Overlay, decode_overlays

BOX_ID = "pymultivideo"
# Why: pyMultiVideo drops a box after one period without a message; half a period more forgives a late one.
LIFETIME_PERIODS = 1.5
MESSAGES_PER_PULL_MAX = 256

Size = tuple[int, int]


def box_defaults(camera: str, pull_rate: float, size_px: Size | None) -> DoorDefaults:
    """What a message that names nothing means to pyMultiVideo's clients.

    It is the one box over `camera`, replaces the one before, is ignored where a corner is outside `size_px`
    (width, height), and ends 1.5 pull periods after the last message.
    """
    return DoorDefaults(camera, BOX_ID, LIFETIME_PERIODS / pull_rate, size_px)


class BoxReader:
    """Holds the newest messages until they are `take`n once a pull period, as overlays.

    Of what one period brings, the newest MESSAGES_PER_PULL_MAX messages are read; older ones are counted in
    `superseded` like every overlay that a newer one of its id replaced. Before `size_px` is known every box
    is ignored.
    """

    def __init__(self, camera: str, pull_rate: float) -> None:
        self._camera, self._pull_rate = camera, pull_rate
        self._waiting: deque[bytes] = deque(maxlen=MESSAGES_PER_PULL_MAX)
        self.size_px: Size | None = None
        self.received = self.ignored = self.superseded = 0
        self.malformed: Counter[str] = Counter()
        self.last_error = ""

    def offer(self, messages: Sequence[bytes]) -> None:
        """Hold what arrived."""
        self.received += len(messages)
        pushed_out = len(self._waiting) + len(messages) - MESSAGES_PER_PULL_MAX
        self.superseded += max(0, pushed_out)
        self._waiting.extend(messages)

    def take(self) -> list[Overlay]:
        """The newest overlay of each id, in the order of arrival. Raises nothing, whatever was pushed."""
        newest: dict[tuple[str, str], Overlay] = {}
        for data in self._waiting:
            for overlay in self._read(data):
                key = (overlay.camera, overlay.id)
                self.superseded += newest.pop(key, None) is not None
                newest[key] = overlay
        self._waiting.clear()
        left_out = max(0, len(newest) - SHAPES_MAX_PER_CAMERA)
        self.superseded += left_out
        return list(newest.values())[left_out:]

    def _read(self, data: bytes) -> list[Overlay]:
        try:
            overlays = decode_overlays(data)
        except WireError as error:
            self.malformed[error.reason] += 1
            self.last_error = str(error)
            return []
        defaults = box_defaults(self._camera, self._pull_rate, self.size_px)
        complete = [defaults.apply(overlay) for overlay in overlays] if self.size_px else []
        kept = [overlay for overlay in complete if overlay is not None]
        self.ignored += len(overlays) - len(kept)
        return kept


def pack_overlays(overlays: Sequence[Overlay]) -> list[bytes]:
    """The overlays as JSON arrays, each small enough for the rig's door."""
    messages: list[bytes] = []
    texts: list[str] = []
    room = OVERLAY_MAX_BYTES
    for overlay in overlays:
        text = json.dumps(overlay.to_map())
        if texts and len(text) + 2 > room:
            messages.append(_array(texts))
            texts, room = [], OVERLAY_MAX_BYTES
        texts.append(text)
        room -= len(text) + 2
    return [*messages, _array(texts)] if texts else messages


def _array(texts: Sequence[str]) -> bytes:
    return f"[{', '.join(texts)}]".encode()
