"""What waits for one viewer: newest wins, and nothing can pile up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")

STREAMS_MAX = 1_088


class Mailbox(Generic[ItemT]):
    """Streams of items, each with room for a few, the newest staying; for one event loop.

    `kinds` are those whose items are kept at all. A stream is a kind and a source within it.
    """

    def __init__(self, kinds: frozenset[str], *, last_kind: str = "") -> None:
        self.kinds = kinds
        self._last_kind, self._held = last_kind, ""
        self._streams: dict[tuple[str, str], deque[ItemT]] = {}
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, kind: str, source: str, item: ItemT, depth: int = 1) -> None:
        """Add an item; beyond `depth` the oldest of its stream goes."""
        if kind not in self.kinds or self._closed:
            return
        stream = self._streams.get((kind, source))
        if stream is None:
            if len(self._streams) >= STREAMS_MAX:
                return
            stream = self._streams[kind, source] = deque(maxlen=depth)
        stream.append(item)
        self._changed.set()

    async def take(self) -> ItemT | None:
        """The next item, those of `last_kind` after all others; None once the mailbox is closed."""
        while not self._closed:
            for stream in self._in_turn():
                if stream:
                    return stream.popleft()
            self._changed.clear()
            await self._changed.wait()
        return None

    def hold(self, kind: str) -> None:
        """Leave items of this kind where they are until told otherwise; "" for none."""
        self._held = kind
        self._changed.set()

    def close(self) -> None:
        """End every `take`, now and later."""
        self._closed = True
        self._changed.set()

    def _in_turn(self) -> Iterator[deque[ItemT]]:
        for last in (False, True):
            for (kind, _), stream in self._streams.items():
                if kind != self._held and (kind == self._last_kind) is last:
                    yield stream
