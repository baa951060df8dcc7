"""Topics: `kind/source/`, or `kind.rendition/source/` (spec 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from zbus.errors import WireError
from zbus.wire._limits import SOURCE_MAX_CHARS, TOPIC_MAX_BYTES

FRAME, TRACKS, OVERLAY, STATE, EVENT = "frame", "tracks", "overlay", "state", "event"
KINDS = (FRAME, TRACKS, OVERLAY, STATE, EVENT)
CONTROL, REPLY = "control", "reply"
JPEG_RENDITION, RING_RENDITION, BELL_RENDITION = "jpeg", "ring", "bell"

# Why: the same few topics come again and again.
TOPICS_REMEMBERED = 1_024

_SOURCE = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{SOURCE_MAX_CHARS - 1}}}"
_SOURCE_ONLY = re.compile(_SOURCE)
_TOPIC = re.compile(rf"([a-z]{{1,16}})(?:\.([a-z0-9]{{1,16}}))?/({_SOURCE})/")


@dataclass(frozen=True, slots=True)
class Topic:
    """What a message is about: its kind, who it comes from, and, for frames, an optional rendition."""

    kind: str
    source: str
    rendition: str = ""

    def encode(self) -> bytes:
        """The topic as the first part of a message."""
        return str(self).encode("ascii")

    def __str__(self) -> str:
        return f"{self.kind}{f'.{self.rendition}' if self.rendition else ''}/{self.source}/"


@lru_cache(TOPICS_REMEMBERED)
def decode_topic(data: bytes) -> Topic:
    """Read a topic. Raises WireError `bad_topic`."""
    if len(data) > TOPIC_MAX_BYTES:
        raise WireError("bad_topic", f"{len(data)} bytes, more than {TOPIC_MAX_BYTES}")
    match = _TOPIC.fullmatch(data.decode("ascii", errors="replace"))
    if match is None:
        raise WireError("bad_topic", f"{data[:40]!r} is not kind/source/")
    return Topic(match[1], match[3], match[2] or "")


def is_source_name(name: str) -> bool:
    """True where `name` may stand in a topic: at most 64 letters, digits, `.`, `_`, `-`, no sign first."""
    return _SOURCE_ONLY.fullmatch(name) is not None
