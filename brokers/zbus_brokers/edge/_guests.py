"""Who is at the door: the key of a connection, and what it may do."""

from __future__ import annotations

import logging
from collections import Counter

import zmq

from zbus.transport import EVERYTHING, AllowedKey, ServerLock, is_worth_a_line

log = logging.getLogger(__name__)

# Who comes in where nothing is locked.
ANYBODY = AllowedKey("anybody", "", EVERYTHING)


class Guests:
    """Finds the key over which a message came; without a lock everybody is ANYBODY and may do everything."""

    def __init__(self, lock: ServerLock | None) -> None:
        self._lock = lock
        self._refused: Counter[str] = Counter()

    def find(self, part: zmq.Frame) -> AllowedKey | None:
        """The key of a message by one of its parts; None where it is allowed no more."""
        return ANYBODY if self._lock is None else self._lock.find_sender(part)

    @property
    def refused(self) -> int:
        """How often somebody wanted what the key does not allow."""
        return self._refused.total()

    def refuse(self, guest: AllowedKey | None, what: str) -> None:
        """Count, and tell in the log now and then, that a guest may not do this."""
        name = guest.name if guest else "a key that was revoked"
        self._refused[name] += 1
        if is_worth_a_line(self._refused[name]):
            log.warning("%s may not %s; refused %d times by now", name, what, self._refused[name])
