"""How many messages may wait for one subscriber, where what is bounded are the bytes of them."""

from __future__ import annotations

# What may wait for one subscriber: this many bytes of the largest messages lately seen, within these counts.
QUEUE_BUDGET_BYTES = 16_777_216
QUEUE_MIN, QUEUE_MAX = 4, 1_000


class QueueBudget:
    """Follows the largest message of the present and the last period; `depth` is what is in force.

    A larger message counts at once, and is forgotten when two periods have passed without one.
    """

    def __init__(self) -> None:
        self.depth = QUEUE_MAX
        self._largest = self._largest_before = 0

    def note(self, nbytes: int) -> bool:
        """Take note of a message; True where `depth` became less by it."""
        self._largest = max(self._largest, nbytes)
        depth = _depth_for(nbytes)
        if depth >= self.depth:
            return False
        self.depth = depth
        return True

    def begin_period(self) -> bool:
        """Forget what was before the last period; True where `depth` changed by that."""
        before, self.depth = self.depth, _depth_for(max(self._largest, self._largest_before))
        self._largest_before, self._largest = self._largest, 0
        return self.depth != before


def _depth_for(nbytes: int) -> int:
    return max(QUEUE_MIN, min(QUEUE_MAX, QUEUE_BUDGET_BYTES // max(1, nbytes)))
