"""Whether the relay of another host lets us in: told once, and asked again ever more seldom."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from zbus.transport import Refusal

FIRST_WAIT_NS = 1_500_000_000
# Why again at all: libzmq gives up a connection that was refused, and the key may be right a minute later.
LAST_WAIT_NS = 6_000_000_000

log = logging.getLogger(__name__)


class Admission:
    """Why `host` does not let us in, in `cause` and `next_step`, empty where it is not known to refuse.

    `wait_ns` is how long a connection is waited for before it is made anew.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self.wait_ns = FIRST_WAIT_NS
        self.cause = self.next_step = ""
        self._tries = 0

    def look(self, refusal: Refusal | None) -> None:
        """What is known at present; a new cause is told in the log."""
        # Why not at once: who ends in the middle of a handshake looks the same.
        if refusal is None or not (refusal.is_final or self._tries > 1):
            return
        if refusal.cause != self.cause:
            self.cause = refusal.cause
            self.next_step = (
                "give both hosts the same rig file and, in its folder of keys, the same rig.key; "
                f"then start again the one that was changed, {self._host} or this one"
            )
            log.warning("%s does not let us in: %s\n  try: %s", self._host, self.cause, self.next_step)

    def try_again(self, refusal: Refusal | None) -> None:
        """A try has ended so, and the next one begins."""
        if refusal is None:
            self.clear()
            return
        self._tries += 1
        if self._tries > 1:
            self.wait_ns = min(2 * self.wait_ns, LAST_WAIT_NS)

    def clear(self) -> None:
        """It lets us in, or is not there to refuse."""
        self.wait_ns, self._tries = FIRST_WAIT_NS, 0
        self.cause = self.next_step = ""

    def describe(self) -> Mapping[str, str]:
        """For the relay's state."""
        return {"cause": self.cause, "next_step": self.next_step} if self.cause else {}
