"""What subscribers want of a publisher, as its XPUB socket tells: bounded, and never less than the truth."""

from __future__ import annotations

import zmq

from zbus.transport._parts import can_read
from zbus.wire import Topic

SUBSCRIPTIONS_MAX = 4_096
# So many notices are read in one go, so that a flood of subscriptions cannot hold who sends.
NOTICES_MAX = 1_024


class Interest:
    """The prefixes that somebody subscribes to; `changes` is another number whenever they are others.

    Beyond SUBSCRIPTIONS_MAX they are only counted, and everything is taken to be wanted until those are gone.
    """

    def __init__(self) -> None:
        self._prefixes: set[bytes] = set()
        self._uncounted = 0
        self._known: dict[Topic, tuple[bool, bool]] = {}
        self.changes = 0

    def read(self, socket: zmq.Socket[bytes]) -> None:
        """Take in what has changed, without waiting."""
        for _ in range(NOTICES_MAX):
            # Why not just receive: asking for events also makes libzmq look now at what subscribers have
            # taken. It does so at most once a millisecond else, and a short queue counts as full till then.
            if not can_read(socket):
                return
            parts = socket.recv_multipart(zmq.NOBLOCK)
            # Why one part: an XSUB may send any message this way, and its second part would look the same.
            if len(parts) == 1:
                self._take(parts[0])

    @property
    def is_any(self) -> bool:
        """True while anybody subscribes to anything."""
        return bool(self._prefixes) or self._uncounted > 0

    @property
    def prefixes(self) -> frozenset[bytes]:
        """What is subscribed to; the empty prefix, which is everything, where not all of it is known."""
        return frozenset(self._prefixes | ({b""} if self._uncounted else set()))

    def covers(self, topic: Topic) -> bool:
        """True while somebody's subscription covers this topic."""
        return self._answers(topic)[0]

    def names_rendition(self, topic: Topic) -> bool:
        """True while somebody asked for this rendition by its name, not for everything."""
        return self._answers(topic)[1]

    def _answers(self, topic: Topic) -> tuple[bool, bool]:
        # Why remembered: it is asked for each frame, and changes with subscriptions only.
        answers = self._known.get(topic)
        if answers is None:
            if len(self._known) >= SUBSCRIPTIONS_MAX:
                self._known.clear()
            answers = self._known[topic] = (self._is_covered(topic), self._is_named(topic))
        return answers

    def _is_covered(self, topic: Topic) -> bool:
        name = topic.encode()
        return self._uncounted > 0 or any(name.startswith(prefix) for prefix in self._prefixes)

    def _is_named(self, topic: Topic) -> bool:
        name, start = topic.encode(), f"{topic.kind}.{topic.rendition}/".encode()
        return any(prefix.startswith(start) and name.startswith(prefix) for prefix in self._prefixes)

    def _take(self, notice: bytes) -> None:
        self._known.clear()
        self.changes += 1
        sign, prefix = notice[:1], notice[1:]
        if sign == b"\x01":
            if prefix not in self._prefixes and len(self._prefixes) >= SUBSCRIPTIONS_MAX:
                self._uncounted += 1
            else:
                self._prefixes.add(prefix)
        elif sign == b"\x00":
            if prefix in self._prefixes:
                self._prefixes.discard(prefix)
            else:
                self._uncounted = max(0, self._uncounted - 1)
