"""The last message of each state topic, for who comes late."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

TOPICS_MAX = 1_024
MESSAGE_MAX_BYTES = 131_072

Parts = list[bytes]


class LastValueCache:
    """Keeps the newest message of every topic that starts with `prefix`; the payload stays unread.

    At most `topics_max` topics, the one longest unheard of forgotten first; a message over
    MESSAGE_MAX_BYTES is not kept, and counted in `too_large`.
    """

    def __init__(self, prefix: bytes = b"state/", topics_max: int = TOPICS_MAX) -> None:
        self._prefix, self._topics_max = prefix, topics_max
        self._last: OrderedDict[bytes, Parts] = OrderedDict()
        self.too_large = 0

    def __len__(self) -> int:
        return len(self._last)

    def keeps(self, topic: bytes) -> bool:
        """True for the topics that are kept here."""
        return topic.startswith(self._prefix)

    def remember(self, parts: Parts) -> None:
        """Keep a message in place of the one before it on its topic."""
        if sum(map(len, parts)) > MESSAGE_MAX_BYTES:
            self.too_large += 1
            return
        self._last[parts[0]] = parts
        self._last.move_to_end(parts[0])
        if len(self._last) > self._topics_max:
            self._last.popitem(last=False)

    def forget(self, topic: bytes) -> None:
        """Keep nothing of this topic."""
        self._last.pop(topic, None)

    def matching(self, subscription: bytes) -> Iterator[Parts]:
        """What a subscription to this prefix has missed, oldest topic first."""
        return iter([parts for topic, parts in self._last.items() if topic.startswith(subscription)])
