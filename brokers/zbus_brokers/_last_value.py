"""The last message of each state topic, for who comes late."""

from __future__ import annotations

from collections import OrderedDict

TOPICS_MAX = 1_024
MESSAGE_MAX_BYTES = 131_072
CACHE_MAX_BYTES = 33_554_432

Parts = list[bytes]


class LastValueCache:
    """Keeps the newest message of every topic that starts with `prefix`; the payload stays unread.

    At most `topics_max` topics and `max_bytes`, the one longest unheard of forgotten first; a message over
    MESSAGE_MAX_BYTES is not kept, and counted in `too_large`.
    """

    def __init__(
        self, prefix: bytes = b"state/", topics_max: int = TOPICS_MAX, max_bytes: int = CACHE_MAX_BYTES
    ) -> None:
        self.prefix = prefix
        self._topics_max, self._max_bytes = topics_max, max_bytes
        self._last: OrderedDict[bytes, Parts] = OrderedDict()
        self._nbytes = 0
        self.too_large = 0

    def __len__(self) -> int:
        return len(self._last)

    def keeps(self, topic: bytes) -> bool:
        """True for the topics that are kept here."""
        return topic.startswith(self.prefix)

    def remember(self, parts: Parts) -> None:
        """Keep a message in place of the one before it on its topic."""
        self.forget(parts[0])
        if _size(parts) > MESSAGE_MAX_BYTES:
            # Why the one before is gone too: it is no longer the last.
            self.too_large += 1
            return
        self._last[parts[0]] = parts
        self._nbytes += _size(parts)
        while len(self._last) > self._topics_max or self._nbytes > self._max_bytes:
            self._nbytes -= _size(self._last.popitem(last=False)[1])

    def forget(self, topic: bytes) -> None:
        """Keep nothing of this topic."""
        self._nbytes -= _size(self._last.pop(topic, []))

    def find(self, topic: bytes) -> Parts | None:
        """The last message of a topic, if one is kept."""
        return self._last.get(topic)

    def matching(self, subscription: bytes) -> list[bytes]:
        """The topics that a subscription to this prefix covers, the one longest unheard of first."""
        if not subscription.startswith(self.prefix) and not self.prefix.startswith(subscription):
            return []
        return [topic for topic in self._last if topic.startswith(subscription)]


def _size(parts: Parts) -> int:
    return sum(map(len, parts))
