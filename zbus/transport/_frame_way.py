"""How the frames of one camera go out: by notice, inline, or both, as somebody wants them."""

from __future__ import annotations

import time
from dataclasses import replace

from zbus.transport._interest import Interest
from zbus.transport._ring_outlet import RingOutlet
from zbus.wire import (
    FRAME,
    NO_RING,
    RING_RENDITION,
    Buffer,
    Frame,
    NoticeWriter,
    Origin,
    Topic,
    encode_message,
)

# How often a subscriber of a ring is told that there is none: each time would cost frames their places.
RINGLESS_PERIOD_S = 0.25


class FrameWay:
    """Turns frames of one camera into the messages that are wanted; `outlet` is its ring, if it has one."""

    def __init__(self, topic: Topic, outlet: RingOutlet | None) -> None:
        self.topic, self.outlet = topic, outlet
        self._notices = Topic(FRAME, topic.source, RING_RENDITION)
        self._name = self._notices.encode()
        self._writer = NoticeWriter()
        self._due_s = 0.0

    def encode(self, interest: Interest, origin: Origin, frame: Frame) -> list[list[Buffer]]:
        """The messages of a frame; none where nobody wants any. Raises WireError."""
        messages: list[list[Buffer]] = []
        if interest.names_rendition(self._notices):
            messages += self._notice(origin, frame)
        if self.outlet is None or interest.covers(self.topic):
            if self.outlet is not None and self.outlet.owns(frame.data):
                # Why: the socket sends when it can, and the slot may hold another picture by then.
                frame = replace(frame, data=bytes(frame.data))
            messages.append(encode_message(self.topic, origin, frame))
        if not messages:
            frame.header()
        return messages

    def _notice(self, origin: Origin, frame: Frame) -> list[list[Buffer]]:
        where = self.outlet.place(frame.data) if self.outlet else NO_RING
        if not where.ring and not self._is_due():
            return []
        return [[self._name, self._writer.encode(origin, frame, where)]]

    def _is_due(self) -> bool:
        """True where it is time to tell that there is no ring: who had one goes back to inline pixels."""
        now_s = time.monotonic()
        is_due = now_s >= self._due_s
        if is_due:
            self._due_s = now_s + RINGLESS_PERIOD_S
        return is_due
