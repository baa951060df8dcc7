"""Which of another host's topics are wanted here: subscriptions are beginnings, and what crosses is exact."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from zbus.errors import WireError
from zbus.wire import BELL_RENDITION, FRAME, RELAY_TOPICS_MAX, RING_RENDITION, Topic, decode_topic

# Why: these speak of one host's own processes and pixels, and every host has them.
OWN_NODES = ("directory", "supervisor")
OWN_RENDITIONS = (RING_RENDITION, BELL_RENDITION)


def expand(prefixes: Collection[bytes], topics: Iterable[str]) -> list[str]:
    """Those of `topics` that a subscription covers, sorted, at most RELAY_TOPICS_MAX.

    A rendition is wanted by its name only: who subscribes to everything does not make cameras compress
    (spec 2).
    """
    plain = [_of_pixels(prefix) for prefix in prefixes]
    wanted = {topic for topic in topics if any(_covers(prefix, topic) for prefix in plain)}
    return sorted(wanted)[:RELAY_TOPICS_MAX]


def may_cross(name: str, allowed: Iterable[str]) -> bool:
    """True where a topic of a node of this host may go to others: it begins as one of `allowed` does."""
    topic = read_topic(name)
    if topic is None or topic.source in OWN_NODES or topic.rendition in OWN_RENDITIONS:
        return False
    return any(name.startswith(beginning) for beginning in allowed)


def read_topic(name: str) -> Topic | None:
    """The topic of this name, None where it is none."""
    try:
        return decode_topic(name.encode("ascii", errors="replace"))
    except WireError:
        return None


def _of_pixels(prefix: bytes) -> bytes:
    """Who wants notices of pictures in shared memory wants the pictures."""
    for rendition in OWN_RENDITIONS:
        notices = f"{FRAME}.{rendition}/".encode()
        if prefix.startswith(notices):
            return f"{FRAME}/".encode() + prefix[len(notices) :]
    return prefix


def _covers(prefix: bytes, name: str) -> bool:
    topic = name.encode("ascii", errors="replace")
    if not topic.startswith(prefix):
        return False
    kind, _, _ = topic.partition(b"/")
    return b"." not in kind or prefix.startswith(kind + b"/")
