"""Who is at the door: the key of a connection, and what it may do."""

from __future__ import annotations

import logging
import time
from collections import Counter

import zmq

from zbus.transport import EVERYTHING, AllowedKey, ServerLock, is_worth_a_line

log = logging.getLogger(__name__)

# What one key may ask of the rig in a row, and each second from then on, whatever its connections.
ASKS_BURST, ASKS_HZ = 200.0, 100.0
# How long a key that broke the socket for all others is not let in.
BARRED_S = 60.0

# Who comes in where nothing is locked.
ANYBODY = AllowedKey("anybody", "", EVERYTHING)


class Guests:
    """Finds the key over which a message came; without a lock everybody is ANYBODY and may do everything."""

    def __init__(self, lock: ServerLock | None) -> None:
        self._lock = lock
        self._refused: Counter[str] = Counter()
        self._asks: dict[str, tuple[float, float]] = {}

    def find(self, part: zmq.Frame) -> AllowedKey | None:
        """The key of a message by one of its parts; None where it is allowed no more."""
        return ANYBODY if self._lock is None else self._lock.find_sender(part)

    def may_ask_now(self, guest: AllowedKey, now_s: float | None = None) -> bool:
        """False where this key has asked more than its share lately: the rig inside must not feel it."""
        now_s = time.monotonic() if now_s is None else now_s
        left, then_s = self._asks.get(guest.public, (ASKS_BURST, now_s))
        left = min(ASKS_BURST, left + (now_s - then_s) * ASKS_HZ)
        self._asks[guest.public] = (max(0.0, left - 1.0), now_s)
        return left >= 1.0

    def bar(self, guest: AllowedKey) -> None:
        """Let this key in no more for BARRED_S; without a lock nobody can be kept out."""
        log.warning("%s sent what is no subscription", guest.name)
        if self._lock is not None:
            log.warning("%s is not let in for %g s", guest.name, BARRED_S)
            self._lock.bar(guest.public, BARRED_S)

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
