"""What was received and not handed over yet: the newest of each topic, or all in order; both bounded."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Protocol

from zbus.transport._gaps import TOPICS_MAX
from zbus.transport._ring_inlet import RingPixels
from zbus.wire import AnyBody, Message, Origin, Topic

# Room for the largest frame there is, and for another that comes while it is looked at.
WAITING_MAX_BYTES = 536_870_912


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it was handed over: its topic, who sent it, its body, and when it came (monotonic)."""

    topic: Topic
    origin: Origin
    body: AnyBody | None
    received_mono_ns: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message, when it came (monotonic), how many bytes it holds; its pixels where they lie in a ring."""

    message: Message
    came_ns: int
    nbytes: int
    pixels: RingPixels | None = None


class Queue(Protocol):
    """Takes messages in and gives them back, and says how many it passed over for each."""

    def put(self, waiting: Waiting) -> int: ...

    def pop(self) -> Waiting | None: ...

    def __len__(self) -> int: ...


class InOrder:
    """All messages in order; the oldest give way beyond `depth` messages or `max_bytes`."""

    def __init__(self, depth: int, max_bytes: int = WAITING_MAX_BYTES) -> None:
        self._depth, self._max_bytes = depth, max_bytes
        self._queue: deque[Waiting] = deque()
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, waiting: Waiting) -> int:
        """Take one in; returns how many older ones gave way."""
        self._queue.append(waiting)
        self._nbytes += waiting.nbytes
        skipped = 0
        while len(self._queue) > 1 and (len(self._queue) > self._depth or self._nbytes > self._max_bytes):
            self.pop()
            skipped += 1
        return skipped

    def pop(self) -> Waiting | None:
        """The oldest, or None."""
        if not self._queue:
            return None
        waiting = self._queue.popleft()
        self._nbytes -= waiting.nbytes
        return waiting


class NewestOfEach:
    """The newest message of each topic, in the order in which the topics began to wait.

    Why in that order: were a topic to lose its place to each newer message of its own, one of two equal
    cameras could be passed over for ever.
    """

    def __init__(self, topics_max: int = TOPICS_MAX, max_bytes: int = WAITING_MAX_BYTES) -> None:
        self._topics_max, self._max_bytes = topics_max, max_bytes
        self._newest: OrderedDict[Topic, Waiting] = OrderedDict()
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, waiting: Waiting) -> int:
        """Take one in; returns how many others gave way."""
        before = self._newest.get(waiting.message.topic)
        self._newest[waiting.message.topic] = waiting
        self._nbytes += waiting.nbytes - (before.nbytes if before else 0)
        skipped = int(before is not None)
        while len(self._newest) > 1 and (
            len(self._newest) > self._topics_max or self._nbytes > self._max_bytes
        ):
            self.pop()
            skipped += 1
        return skipped

    def pop(self) -> Waiting | None:
        """The newest message of the topic that has waited longest, or None."""
        if not self._newest:
            return None
        _, waiting = self._newest.popitem(last=False)
        self._nbytes -= waiting.nbytes
        return waiting
