"""What was answered already: a repeated request gets the same reply and is not executed again."""

from __future__ import annotations

from collections import OrderedDict

from zbus.wire import Buffer

REPLIES_MAX = 1_024
REPLIES_MAX_BYTES = 67_108_864


class ReplyCache:
    """The last replies by request id, the oldest forgotten first.

    At most `replies_max` and `max_bytes` of them; the bytes are room for 256 of the largest.
    """

    def __init__(self, replies_max: int = REPLIES_MAX, max_bytes: int = REPLIES_MAX_BYTES) -> None:
        self._replies: OrderedDict[str, list[Buffer]] = OrderedDict()
        self._max, self._max_bytes = replies_max, max_bytes
        self._nbytes = 0
        self.hits = 0

    def find(self, request_id: str) -> list[Buffer] | None:
        """The reply that was given to `request_id`, if it is still remembered."""
        reply = self._replies.get(request_id)
        self.hits += reply is not None
        return reply

    def remember(self, request_id: str, reply: list[Buffer]) -> None:
        """Keep a reply."""
        self._nbytes += _size(reply) - _size(self._replies.pop(request_id, []))
        self._replies[request_id] = reply
        while len(self._replies) > self._max or (self._nbytes > self._max_bytes and len(self._replies) > 1):
            self._nbytes -= _size(self._replies.popitem(last=False)[1])


def _size(reply: list[Buffer]) -> int:
    return sum(map(len, reply))
