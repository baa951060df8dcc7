"""A subscriber's side of a ring: one camera's frames by notice or inline, whichever works."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from zbus.errors import WireError
from zbus.transport._bell_way import BellWay
from zbus.transport._lending import BufferPool
from zbus.transport._ring_reader import RingReader
from zbus.wire import (
    BELL_RENDITION,
    FRAME,
    RING_RENDITION,
    Buffer,
    Frame,
    Message,
    NoticeReader,
    Origin,
    RingReference,
    Topic,
    decode_message,
    decode_notice,
    decode_topic,
    make_frame,
    read_frame,
)

# After so long a ring that could not be mapped is tried once more, and after a restart of the camera at once.
RETRY_S = 10.0

Subscribe = Callable[[bytes, bool], None]
RingUse = Literal["copy", "view", "off"]


class RingPixels:
    """The pixels of one notice, still in the ring. `keys` are its own; with `is_checked` they are right."""

    __slots__ = ("_copy", "_is_checked", "_keys", "_lock", "_pool", "_reader", "_slot", "nbytes")

    def __init__(
        self, reader: RingReader, keys: Mapping[str, Any], pool: BufferPool | None, *, is_checked: bool
    ) -> None:
        self._reader, self._keys, self._pool, self._is_checked = reader, keys, pool, is_checked
        self._slot, self._lock, self.nbytes = keys["ring_slot"], keys["ring_lock"], keys["nbytes"]
        self._copy: Buffer | None = None

    def keep(self) -> bool:
        """Copy them out of the ring; false where they were written over meanwhile. Raises WireError."""
        source = self._reader.pixels(self._slot, self.nbytes)
        if self._pool is None or not self._reader.holds(self._slot, self._lock):
            return False
        target = self._pool.take(self.nbytes)
        np.copyto(target, np.frombuffer(source, np.uint8))
        if self._reader.holds(self._slot, self._lock):
            self._copy = target.data.toreadonly()
        return self._copy is not None

    def read(self) -> Frame | None:
        """The frame, its own or a view of the ring; None where it was written over. Raises WireError."""
        if self._pool is not None:
            if self._copy is None:
                self.keep()
            return None if self._copy is None else self.frame(self._copy)
        check = partial(self._reader.holds, self._slot, self._lock)
        frame = self.frame(self._reader.pixels(self._slot, self.nbytes), check)
        return frame if check() else None

    def teach(self, form: NoticeReader, data: bytes) -> None:
        """Let `form` know this notice, packed as `data`. Raises WireError."""
        form.learn(data, self._keys, self.frame(self._reader.pixels(self._slot, self.nbytes)))

    def frame(self, data: Buffer, check: Callable[[], bool] | None = None) -> Frame:
        """The frame of these pixels. Raises WireError."""
        return (make_frame if self._is_checked else read_frame)(self._keys, data, check)


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
        self._bell_name = Topic(FRAME, topic.source, BELL_RENDITION).encode()
        self.bell = BellWay(partial(subscribe, self._bell_name), self._hear_ring)
        self._form = NoticeReader()
        self._reader: RingReader | None = None
        self._hopeless = RingReference()
        self._gave_up_session = ""
        self._retry_s = 0.0

    @property
    def topics(self) -> list[bytes]:
        """The topics of all ways."""
        return [*self._ways.values(), self._bell_name]

    def open(self) -> None:
        """Subscribe to both ways."""
        # Why the ring first: a publisher that knows of both is never without the one.
        self._set(by_ring=True, is_on=True)
        self._set(by_ring=False, is_on=True)

    def close(self) -> None:
        """Give the ring back. Frames that were handed over keep it as long as they need."""
        self._reader = self.bell.board = None

    def wait_at_bell(self) -> None:
        """Have the publisher use the ring's board, where it has one: somebody waits for its notices."""
        if self._reader is not None and self._reader.board is not None:
            self.bell.ask()

    def take_entry(self, data: bytes) -> tuple[Message, RingPixels | None] | None:
        """A notice from the board. Raises WireError."""
        found = self._read(self._ways[True], data)
        if found is not None:
            self.bell.note(found[0].origin.session, found[0].origin.seq)
        return found

    def take_frame(self, data: bytes) -> tuple[Message, Frame | None] | None:
        """A notice from the board that is like the last one, and its frame; None where that is to be had
        by `take_entry`. There is no frame where it was written over. Raises WireError.

        Why besides: who waits for a frame has it half as soon where nothing is made that nobody looks at.
        """
        form, reader = self._form, self._reader
        numbers = form.numbers(data)
        if numbers is None or reader is None:
            return None
        keys = form.keys
        seq, published_ns, number, captured_ns, mono_ns, slot, lock = numbers
        session, clock = keys["session"], keys["clock"]
        self.bell.note(session, seq)
        header = {
            "published_ns": published_ns,
            "captured_ns": captured_ns,
            "mono_ns": mono_ns,
            "clock": clock,
        }
        message = Message(self._topic, Origin(keys["node"], session, seq, published_ns), header)
        pixels: Buffer = reader.pixels(slot, keys["nbytes"])
        check = None
        if self._pool is None:
            check = partial(reader.holds, slot, lock)
        else:
            target = self._pool.take(keys["nbytes"])
            np.copyto(target, np.frombuffer(pixels, np.uint8))
            pixels = target.data.toreadonly()
        if not reader.holds(slot, lock):
            return message, None
        frame = Frame(
            keys["camera"], number, captured_ns, mono_ns, keys["width"], keys["height"], keys["pixel_format"],
            pixels, keys["stride_bytes"], keys["codec"], clock, None, None, 0, check,
        )  # fmt: skip
        return message, frame

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
        pixels = RingPixels(reader, message.header, self._pool, is_checked=False)
        return Message(self._topic, message.origin, message.header), pixels

    def take_parts(self, parts: Sequence[Buffer]) -> tuple[Message, RingPixels | None] | None:
        """A message as its parts; most are notices like the last one, which are read at one glance."""
        data = parts[1]
        if len(parts) != 2 or not isinstance(data, bytes):
            return self.take(decode_message(parts))
        found, reader = self._read(parts[0], data), self._reader
        if found is None or reader is None:
            return found
        by_bell = parts[0] == self._bell_name
        return found if self.bell.pass_on(found[0].origin, data, reader.board, by_bell=by_bell) else None

    def _read(self, name: Buffer, data: bytes) -> tuple[Message, RingPixels | None] | None:
        """A message of two parts."""
        reader = self._reader
        keys = None if reader is None else self._form.decode(data)
        if reader is None or keys is None:
            found = self.take(decode_message((name, data)))
            if found is not None and found[1] is not None:
                found[1].teach(self._form, data)
            return found
        origin = Origin(keys["node"], keys["session"], keys["seq"], keys["published_ns"])
        pixels = RingPixels(reader, keys, self._pool, is_checked=True)
        return Message(self._topic, origin, keys), pixels

    def _reader_of(self, where: RingReference, session: str) -> RingReader | None:
        reader = self._reader
        if reader is not None and (reader.name, reader.generation) == (where.ring, where.generation):
            return reader
        if not where.ring or where.ring == self._hopeless.ring:
            return self._give_up(where, session)
        try:
            # Why a new form: what it knows is of one ring.
            self._reader, self._form = RingReader(where.ring, where.generation), NoticeReader()
        except (OSError, WireError):
            return self._give_up(where, session)
        if self.bell.board is None:
            self._set(by_ring=True, is_on=True)
        self._set(by_ring=False, is_on=False)
        return self._reader

    def _give_up(self, where: RingReference, session: str) -> None:
        self._reader, self._hopeless, self._gave_up_session = None, where, session
        self._retry_s = time.monotonic() + RETRY_S
        self._set(by_ring=False, is_on=True)
        self._set(by_ring=True, is_on=False)
        self.bell.drop()

    def _try_again(self, session: str) -> None:
        gave_up = self._gave_up_session
        if gave_up and (gave_up != session or time.monotonic() > self._retry_s):
            self._gave_up_session = ""
            self._set(by_ring=True, is_on=True)

    def _hear_ring(self, is_on: bool) -> None:
        self._set(by_ring=True, is_on=is_on)

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
