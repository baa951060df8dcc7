"""How the frames of one camera go out: by bell, by notice, inline, as somebody wants them."""

from __future__ import annotations

import time
from dataclasses import replace

from zbus.transport._interest import Interest
from zbus.transport._ring_outlet import RingOutlet
from zbus.wire import (
    BELL_RENDITION,
    FRAME,
    NO_RING,
    RING_RENDITION,
    Buffer,
    Frame,
    NoticeWriter,
    Origin,
    RingReference,
    Topic,
    encode_message,
)

# How often a subscriber of a ring is told that there is none: each time would cost frames their places.
RINGLESS_PERIOD_S = 0.25
# How often who waits at a bell is told by a message that the camera is there, and which ring it has.
LIFE_PERIOD_S = 0.25


class FrameWay:
    """Turns frames of one camera into the messages that are wanted; `outlet` is its ring, if it has one."""

    def __init__(self, topic: Topic, outlet: RingOutlet | None) -> None:
        self.topic, self.outlet = topic, outlet
        self._notices = Topic(FRAME, topic.source, RING_RENDITION)
        self._bell = Topic(FRAME, topic.source, BELL_RENDITION)
        self._name, self._bell_name = self._notices.encode(), self._bell.encode()
        self._writer = NoticeWriter()
        self._due_s = self._life_due_s = 0.0
        self._told_ring = ""
        self._changes = -1
        self._by_ring = self._by_bell = self._is_inline = False

    def encode(self, interest: Interest, origin: Origin, frame: Frame) -> list[list[Buffer]]:
        """The messages of a frame; none where nobody wants any. Who waits at the bell is woken already.

        Raises WireError.
        """
        if interest.changes != self._changes:
            self._changes = interest.changes
            self._by_ring = interest.names_rendition(self._notices)
            self._by_bell = interest.names_rendition(self._bell)
            self._is_inline = self.outlet is None or interest.covers(self.topic)
        messages: list[list[Buffer]] = []
        if self._by_ring or self._by_bell:
            messages = self._notice(origin, frame)
        elif not self._is_inline:
            frame.header()
        if self._is_inline:
            if self.outlet is not None and self.outlet.owns(frame.data):
                # Why: the socket sends when it can, and the slot may hold another picture by then.
                frame = replace(frame, data=bytes(frame.data))
            messages.append(encode_message(self.topic, origin, frame))
        return messages

    def _notice(self, origin: Origin, frame: Frame) -> list[list[Buffer]]:
        where = self.outlet.place(frame.data) if self.outlet else NO_RING
        if not where.ring and not self._is_due():
            frame.header()
            return []
        notice = self._writer.encode(origin, frame, where)
        messages: list[list[Buffer]] = []
        # Why before all messages: who hears of a frame by one finds it on the board.
        if self._by_bell and not self._ring(where, notice):
            messages.append([self._bell_name, notice])
        if self._by_ring:
            messages.append([self._name, notice])
        return messages

    def _ring(self, where: RingReference, notice: bytes) -> bool:
        """Show a notice on the board; false where it has to be told by a message, also or instead."""
        is_shown = bool(where.ring) and self.outlet is not None and self.outlet.show(notice)
        now_s = time.monotonic()
        if is_shown and where.ring == self._told_ring and now_s < self._life_due_s:
            return True
        self._told_ring, self._life_due_s = where.ring, now_s + LIFE_PERIOD_S
        return False

    def _is_due(self) -> bool:
        """True where it is time to tell that there is no ring: who had one goes back to inline pixels."""
        now_s = time.monotonic()
        is_due = now_s >= self._due_s
        if is_due:
            self._due_s = now_s + RINGLESS_PERIOD_S
        return is_due
