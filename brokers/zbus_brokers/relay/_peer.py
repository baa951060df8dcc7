"""Another host's relay as it takes from here: what it wants, what waits for it, what is on its way."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from zbus.errors import WireError
from zbus.wire import FRAME, FRAMES_LINK, SMALL_LINK, RelayData, encode_relay
from zbus_brokers.relay._outbox import InOrder, NewestFrames, Outbox, Outgoing
from zbus_brokers.relay._window import FrameWindow, Window

SMALL_WINDOW = 1_000
SMALL_WINDOW_MAX_BYTES = 4_194_304
COUNTED_TOPICS_MAX = 1_024

# Sends the parts of a message to an identity; False where it could not be sent now.
Send = Callable[[bytes, list[object]], bool]


@dataclass(slots=True)
class Line:
    """One connection of a peer: who it is to our socket, and what goes over it."""

    identity: bytes
    heard_ns: int
    window: Window
    outbox: Outbox
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(slots=True)
class PeerCounters:
    """What became of the messages for one host. `replaced` frames gave way to newer ones before they left,
    `dropped` found no room, `stale` waited too long, `thinned` were left out on purpose.
    """

    forwarded: int = 0
    forwarded_bytes: int = 0
    replaced: int = 0
    dropped: int = 0
    stale: int = 0
    thinned: int = 0


class Peer:
    """The relay of `host` while it is heard. `lifespan_ns` is how old a frame may be that is sent."""

    def __init__(self, host: str, session: str, lifespan_ns: int) -> None:
        self.host, self.session, self._lifespan_ns = host, session, lifespan_ns
        self.lines: dict[str, Line] = {}
        self.wants: frozenset[str] = frozenset()
        self.want_number = 0
        self.counters = PeerCounters()
        self.of_topic: Counter[str] = Counter()

    def join(self, link: str, identity: bytes, now_ns: int) -> bool:
        """Note that one of its links is at `identity`; True where that is new, and counts begin anew."""
        line = self.lines.get(link)
        if line is not None and line.identity == identity:
            line.heard_ns = now_ns
            return False
        if link == FRAMES_LINK:
            self.lines[link] = Line(identity, now_ns, FrameWindow(), NewestFrames())
        else:
            window = Window(SMALL_WINDOW, SMALL_WINDOW_MAX_BYTES)
            self.lines[link] = Line(identity, now_ns, window, InOrder())
            self.wants, self.want_number = frozenset(), 0
        return True

    def put(self, outgoing: Outgoing) -> None:
        """Let a message wait to be sent; without the link for it, it is dropped."""
        is_frame = _is_frame(outgoing.topic)
        line = self.lines.get(FRAMES_LINK if is_frame else SMALL_LINK)
        if line is None:
            self.counters.dropped += 1
            return
        gone = line.outbox.put(outgoing)
        if is_frame:
            self.counters.replaced += gone
        else:
            self.counters.dropped += gone

    def pump(self, send: Send, now_ns: int) -> None:
        """Send what may be on its way now."""
        for line in list(self.lines.values()):
            self._pump(line, send, now_ns)

    def _pump(self, line: Line, send: Send, now_ns: int) -> None:
        while len(line.outbox):
            if not line.window.has_room:
                if isinstance(line.window, FrameWindow):
                    line.window.was_full = True
                return
            outgoing = line.outbox.pop()
            if outgoing is not None and not self._is_stale(outgoing, now_ns):
                self._send(line, outgoing, send, now_ns)

    def _send(self, line: Line, outgoing: Outgoing, send: Send, now_ns: int) -> None:
        try:
            head = encode_relay(RelayData(outgoing.began_ns, outgoing.thinned, ()))
        except WireError:
            self.counters.dropped += 1
            return
        if not send(line.identity, [*head, *outgoing.parts]):
            self.counters.dropped += 1
            return
        line.window.note_sent(outgoing.nbytes, now_ns)
        self.counters.forwarded += 1
        self.counters.forwarded_bytes += outgoing.nbytes
        if outgoing.topic in self.of_topic or len(self.of_topic) < COUNTED_TOPICS_MAX:
            self.of_topic[outgoing.topic] += 1

    def _is_stale(self, outgoing: Outgoing, now_ns: int) -> bool:
        is_stale = _is_frame(outgoing.topic) and now_ns - outgoing.began_ns > self._lifespan_ns
        self.counters.stale += is_stale
        return is_stale


def _is_frame(topic: str) -> bool:
    return topic.startswith((f"{FRAME}/", f"{FRAME}."))
