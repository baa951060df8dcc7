"""What waits to be sent to another host: the newest frame of each topic, and everything else in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

FRAMES_WAITING_MAX_BYTES = 536_870_912
SMALL_WAITING_MAX = 1_000
SMALL_WAITING_MAX_BYTES = 8_388_608


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that was read here, its parts as they came.

    Its age counts from `began_ns` of this host's monotonic clock; `thinned` before it were left out on
    purpose.
    """

    topic: str
    parts: Sequence[Any]
    nbytes: int
    began_ns: int
    thinned: int = 0


class Outbox(Protocol):
    """Takes messages in and gives them back, and says how many gave way for each."""

    def put(self, outgoing: Outgoing) -> int: ...

    def pop(self) -> Outgoing | None: ...

    def __len__(self) -> int: ...


class NewestFrames:
    """The newest frame of each topic, in the order in which the topics began to wait."""

    def __init__(self, max_bytes: int = FRAMES_WAITING_MAX_BYTES) -> None:
        self._newest: OrderedDict[str, Outgoing] = OrderedDict()
        self._max_bytes = max_bytes
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, outgoing: Outgoing) -> int:
        """Take one in; returns how many others gave way."""
        before = self._newest.get(outgoing.topic)
        if before is not None:
            # Why: what was left out on purpose before a frame that gives way is still no loss.
            outgoing = replace(outgoing, thinned=outgoing.thinned + before.thinned)
            self._nbytes -= before.nbytes
        self._newest[outgoing.topic] = outgoing
        self._nbytes += outgoing.nbytes
        replaced = int(before is not None)
        while self._nbytes > self._max_bytes and len(self._newest) > 1:
            self.pop()
            replaced += 1
        return replaced

    def pop(self) -> Outgoing | None:
        """The frame of the topic that has waited longest, or None."""
        if not self._newest:
            return None
        _, outgoing = self._newest.popitem(last=False)
        self._nbytes -= outgoing.nbytes
        return outgoing


class InOrder:
    """All messages in order; beyond `depth` of them or `max_bytes` the oldest give way."""

    def __init__(self, depth: int = SMALL_WAITING_MAX, max_bytes: int = SMALL_WAITING_MAX_BYTES) -> None:
        self._queue: deque[Outgoing] = deque()
        self._depth, self._max_bytes = depth, max_bytes
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, outgoing: Outgoing) -> int:
        """Take one in; returns how many older ones gave way."""
        self._queue.append(outgoing)
        self._nbytes += outgoing.nbytes
        dropped = 0
        while len(self._queue) > self._depth or (self._nbytes > self._max_bytes and len(self._queue) > 1):
            self.pop()
            dropped += 1
        return dropped

    def pop(self) -> Outgoing | None:
        """The oldest, or None."""
        if not self._queue:
            return None
        outgoing = self._queue.popleft()
        self._nbytes -= outgoing.nbytes
        return outgoing
