"""Gaps: what a subscriber can see missing, by `session` and `seq` (spec 1)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from zbus.wire import Message

TOPICS_MAX = 1_024
# A `seq` this far behind the last one is no old message but a publisher that counts anew.
REPEAT_WINDOW = 1_024


@dataclass(frozen=True, slots=True)
class Gap:
    """`lost` messages of a topic went missing between publisher and subscriber, from `first_seq` on."""

    topic: str
    lost: int
    first_seq: int


@dataclass(frozen=True, slots=True)
class Restart:
    """The publisher of a topic started anew; nothing was heard of it for `silent_s`."""

    topic: str
    old_session: str
    new_session: str
    silent_s: float


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two publishers send the same topic at the same time."""

    topic: str
    sessions: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A message that came before, or one older than the last: a second way through, or a cache's copy."""

    topic: str
    seq: int


@dataclass(frozen=True, slots=True)
class Overrun:
    """A frame's pixels were written over in shared memory before they were handed over."""

    topic: str
    seq: int


Finding = Gap | Restart | Duplicate | Repeat | Overrun


@dataclass(slots=True)
class _Seen:
    session: str
    seq: int
    mono_ns: int
    former: str = ""


class GapDetector:
    """Remembers the last message of each topic and tells what the next one reveals. Holds no socket.

    At most `topics_max` topics, the one longest unheard of forgotten first.
    """

    def __init__(self, topics_max: int = TOPICS_MAX) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._topics_max = topics_max

    def observe(self, message: Message, mono_ns: int) -> Finding | None:
        """Take the next message of its topic, received at `mono_ns`; None where nothing is amiss."""
        topic, origin = str(message.topic), message.origin
        seen = self._seen.get(topic)
        if seen is None:
            self._remember(topic, _Seen(origin.session, origin.seq, mono_ns))
            return None
        if origin.session != seen.session:
            return self._other_session(topic, seen, message, mono_ns)
        self._seen.move_to_end(topic)
        seen.mono_ns = mono_ns
        ahead = origin.seq - seen.seq
        if -REPEAT_WINDOW < ahead <= 0:
            return Repeat(topic, origin.seq)
        seen.seq = origin.seq
        missing = ahead - 1
        if missing:
            missing -= _thinned(message)
        return Gap(topic, missing, origin.seq - ahead + 1) if missing > 0 else None

    def _other_session(self, topic: str, seen: _Seen, message: Message, mono_ns: int) -> Finding:
        session = message.origin.session
        finding: Finding = Restart(topic, seen.session, session, (mono_ns - seen.mono_ns) / 1e9)
        if session == seen.former:
            finding = Duplicate(topic, (seen.session, session))
        self._remember(topic, _Seen(session, message.origin.seq, mono_ns, former=seen.session))
        return finding

    def _remember(self, topic: str, seen: _Seen) -> None:
        self._seen[topic] = seen
        self._seen.move_to_end(topic)
        if len(self._seen) > self._topics_max:
            self._seen.popitem(last=False)


def _thinned(message: Message) -> int:
    """How many messages directly before this one a relay left out on purpose."""
    thinned = message.header.get("thinned", 0)
    return thinned if isinstance(thinned, int) and thinned > 0 else 0
