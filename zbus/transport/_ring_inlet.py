"""A subscriber's side of a ring: one camera's frames by notice or inline, whichever works."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from zbus.errors import WireError
from zbus.transport._lending import BufferPool
from zbus.transport._ring_reader import RingReader
from zbus.wire import (
    FRAME,
    RING_RENDITION,
    Buffer,
    Frame,
    FrameNotice,
    Message,
    RingReference,
    Topic,
    decode_notice,
    decode_topic,
)

# After so long a ring that could not be mapped is tried once more, and after a restart of the camera at once.
RETRY_S = 10.0

Subscribe = Callable[[bytes, bool], None]
RingUse = Literal["copy", "view", "off"]


class RingPixels:
    """The pixels of one notice, still in the ring."""

    def __init__(self, reader: RingReader, notice: FrameNotice, pool: BufferPool | None) -> None:
        self._reader, self._notice, self._pool = reader, notice, pool
        self._copy: Buffer | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes they have."""
        return self._notice.nbytes

    def keep(self) -> bool:
        """Copy them out of the ring; false where they were written over meanwhile. Raises WireError."""
        where = self._notice.reference
        source = self._reader.pixels(where.slot, self._notice.nbytes)
        if self._pool is None or not self._reader.holds(where.slot, where.lock):
            return False
        target = self._pool.take(len(source))
        np.copyto(target, np.frombuffer(source, np.uint8))
        if self._reader.holds(where.slot, where.lock):
            self._copy = target.data.toreadonly()
        return self._copy is not None

    def read(self) -> Frame | None:
        """The frame, its own or a view of the ring; None where it was written over. Raises WireError."""
        if self._pool is not None:
            if self._copy is None:
                self.keep()
            return None if self._copy is None else self._notice.frame(self._copy)
        where = self._notice.reference
        check = partial(self._reader.holds, where.slot, where.lock)
        frame = self._notice.frame(self._reader.pixels(where.slot, self._notice.nbytes), check)
        return frame if check() else None


class RingInlet:
    """The two ways in which one camera's frames come: notices of a ring, and inline.

    Both are subscribed to at first. The first notice whose ring can be mapped ends the inline way, one whose
    ring cannot ends the other, until the camera starts anew or RETRY_S are over. A frame has the same `seq`
    on both, so that what comes twice is known, and what is missing too.
    """

    def __init__(self, topic: Topic, subscribe: Subscribe, *, is_view: bool) -> None:
        self._topic = topic
        self._subscribe = subscribe
        self._pool = None if is_view else BufferPool()
        self._ways = {True: Topic(FRAME, topic.source, RING_RENDITION).encode(), False: topic.encode()}
        self._open = {True: False, False: False}
        self._reader: RingReader | None = None
        self._hopeless = RingReference()
        self._gave_up_session = ""
        self._retry_s = 0.0

    def open(self) -> None:
        """Subscribe to both ways."""
        # Why the ring first: a publisher that knows of both is never without the one.
        self._set(by_ring=True, is_on=True)
        self._set(by_ring=False, is_on=True)

    def close(self) -> None:
        """Give the ring back. Frames that were handed over keep it as long as they need."""
        self._reader = None

    def take(self, message: Message) -> tuple[Message, RingPixels | None] | None:
        """A message of either topic as one of the inline topic, with its pixels where they lie in a ring.

        None for a notice that leads nowhere: its frame comes inline, or is missed there. Raises WireError.
        """
        if message.topic == self._topic:
            self._try_again(message.origin.session)
            return message, None
        notice = decode_notice(message)
        reader = self._reader_of(notice.reference, message.origin.session)
        if reader is None:
            return None
        pixels = RingPixels(reader, notice, self._pool)
        return Message(self._topic, message.origin, message.header), pixels

    def _reader_of(self, where: RingReference, session: str) -> RingReader | None:
        reader = self._reader
        if reader is not None and (reader.name, reader.generation) == (where.ring, where.generation):
            return reader
        if not where.ring or where.ring == self._hopeless.ring:
            return self._give_up(where, session)
        try:
            self._reader = RingReader(where.ring, where.generation)
        except (OSError, WireError):
            return self._give_up(where, session)
        self._set(by_ring=True, is_on=True)
        self._set(by_ring=False, is_on=False)
        return self._reader

    def _give_up(self, where: RingReference, session: str) -> None:
        self._reader, self._hopeless, self._gave_up_session = None, where, session
        self._retry_s = time.monotonic() + RETRY_S
        self._set(by_ring=False, is_on=True)
        self._set(by_ring=True, is_on=False)

    def _try_again(self, session: str) -> None:
        gave_up = self._gave_up_session
        if gave_up and (gave_up != session or time.monotonic() > self._retry_s):
            self._gave_up_session = ""
            self._set(by_ring=True, is_on=True)

    def _set(self, *, by_ring: bool, is_on: bool) -> None:
        if self._open[by_ring] != is_on:
            self._open[by_ring] = is_on
            self._subscribe(self._ways[by_ring], is_on)


def cameras_by_ring(topics: Sequence[str]) -> list[Topic]:
    """Of these prefixes those that are one camera's frames, and that no other of them covers."""
    found: list[Topic] = []
    for topic in topics:
        try:
            name = decode_topic(topic.encode())
        except WireError:
            continue
        ring = str(Topic(FRAME, name.source, RING_RENDITION))
        others = [each for each in topics if each != topic]
        is_covered = any(topic.startswith(each) or ring.startswith(each) for each in others)
        if name == Topic(FRAME, name.source) and not is_covered:
            found.append(name)
    return found
