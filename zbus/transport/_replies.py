"""What was answered already: a repeated request gets the same reply and is not executed again."""

from __future__ import annotations

from collections import OrderedDict

from zbus.wire import Buffer

REPLIES_MAX = 1_024


class ReplyCache:
    """The last replies by request id, the oldest forgotten first."""

    def __init__(self, replies_max: int = REPLIES_MAX) -> None:
        self._replies: OrderedDict[str, list[Buffer]] = OrderedDict()
        self._max = replies_max
        self.hits = 0

    def find(self, request_id: str) -> list[Buffer] | None:
        """The reply that was given to `request_id`, if it is still remembered."""
        reply = self._replies.get(request_id)
        self.hits += reply is not None
        return reply

    def remember(self, request_id: str, reply: list[Buffer]) -> None:
        """Keep a reply."""
        self._replies[request_id] = reply
        if len(self._replies) > self._max:
            self._replies.popitem(last=False)
