"""The envelope of every message on the data streams: `[topic, header, payload...]` (spec 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from zbus.errors import WireError
from zbus.wire._header import NOTHING, Header, pack_map, read_int, read_text, unpack_map
from zbus.wire._limits import HEADER_MAX_BYTES, PARTS_MAX, UNKNOWN_HEADER_MAX_BYTES, WIRE_VERSION
from zbus.wire._topics import TRACKS, Topic, decode_topic

Buffer = bytes | bytearray | memoryview

# Why: columns are most of a tracks message, and who writes or reads them checks them as arrays (`_tracks`).
TRACKS_COLUMNS = frozenset(("track_ids", "centroids_px", "boxes_xyxy_px", "scores", "class_ids", "states"))
_CHECKED_BY_BODY: dict[str, frozenset[str]] = {TRACKS: TRACKS_COLUMNS}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a message and where it stands in what they sent.

    `session` is random for every start of a publisher, so that a restart is told from a gap; `seq` counts
    the messages of one topic within a session, from 0; `published_ns` is UTC, just before sending.
    """

    node: str
    session: str
    seq: int
    published_ns: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its body still unread: `header` holds every key, the known and the unknown."""

    topic: Topic
    origin: Origin
    header: Header
    payload: tuple[Buffer, ...] = ()


class Body(Protocol):
    """What a kind of message carries: the keys it adds to the header, and its payload parts."""

    kind: ClassVar[str]

    def header(self) -> dict[str, Any]: ...

    def payload(self) -> tuple[Buffer, ...]: ...


def encode_message(topic: Topic, origin: Origin, body: Body) -> list[Buffer]:
    """Write a message as its parts. The payload parts are the body's own buffers, not copies.

    Raises WireError where the body breaks a limit of the spec.
    """
    if topic.kind != body.kind:
        raise WireError("bad_topic", f"a {body.kind} message cannot go out on {topic}")
    header: dict[str, Any] = {
        "v": WIRE_VERSION,
        "node": origin.node,
        "session": origin.session,
        "seq": origin.seq,
        "published_ns": origin.published_ns,
        **body.header(),
    }
    # Why: a pixel position needs no more than a float32, and columns of them are most of a tracks message.
    single_floats, checked = topic.kind == TRACKS, _CHECKED_BY_BODY.get(topic.kind, NOTHING)
    packed = pack_map(header, header_limit(topic.kind), single_floats=single_floats, checked=checked)
    return [topic.encode(), packed, *body.payload()]


def decode_message(parts: Sequence[Buffer]) -> Message:
    """Read the envelope of a message; the body stays as it is.

    `payload` refers to the given buffers. Raises WireError naming the rule that the message breaks; the
    columns of tracks are left to `decode_tracks`.
    """
    if not 2 <= len(parts) <= PARTS_MAX:
        raise WireError("wrong_part_count", f"{len(parts)} parts, not 2 to {PARTS_MAX}")
    topic = decode_topic(bytes(parts[0][:256]))
    limit = header_limit(topic.kind)
    if len(parts[1]) > limit:
        raise WireError("header_too_large", f"{len(parts[1])} bytes, more than {limit}")
    header = unpack_map(bytes(parts[1]), limit, checked=_CHECKED_BY_BODY.get(topic.kind, NOTHING))
    check_version(header)
    origin = Origin(
        read_text(header, "node", 64),
        read_text(header, "session", 64),
        read_int(header, "seq"),
        read_int(header, "published_ns"),
    )
    return Message(topic, origin, header, tuple(parts[2:]))


def header_limit(kind: str) -> int:
    """How many bytes the header of this kind of message may have."""
    return HEADER_MAX_BYTES.get(kind, UNKNOWN_HEADER_MAX_BYTES)


def check_version(header: Header) -> None:
    """Raises WireError `unknown_version` for a header of another major version of the wire."""
    version = read_int(header, "v", low=1)
    if version != WIRE_VERSION:
        raise WireError("unknown_version", f"version {version}, this is {WIRE_VERSION}")
