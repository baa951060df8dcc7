"""What the relays of two hosts say to each other (spec 10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, check_version
from zbus.wire._header import (
    Header,
    check_number,
    pack_map,
    read_int,
    read_list,
    read_map,
    read_text,
    unpack_map,
)
from zbus.wire._limits import (
    PARTS_MAX,
    RELAY_HEADER_MAX_BYTES,
    RELAY_NODE_TOPICS_MAX,
    RELAY_NODES_MAX,
    RELAY_TOPICS_MAX,
    TOPIC_MAX_BYTES,
    WIRE_VERSION,
)
from zbus.wire._topics import is_source_name

SMALL_LINK, FRAMES_LINK = "small", "frames"
RELAY_LINKS = (SMALL_LINK, FRAMES_LINK)


@dataclass(frozen=True, slots=True)
class RelayPing:
    """Says who is at the other end of a link, and asks whether anybody is at this one.

    `link` is one of RELAY_LINKS, `sent_ns` the sender's monotonic clock.
    """

    word: ClassVar[str] = "ping"

    rig: str
    host: str
    link: str
    session: str
    sent_ns: int


@dataclass(frozen=True, slots=True)
class RelayPong:
    """Answers a ping: its `sent_ns`, and this host's two clocks.

    `epoch` is chosen anew for each connection of a link, and counts begin anew with it; `wanted` is the
    number of the last want that came through it, 0 for none.
    """

    word: ClassVar[str] = "pong"

    host: str
    session: str
    epoch: str
    sent_ns: int
    mono_ns: int
    utc_ns: int
    wanted: int


@dataclass(frozen=True, slots=True)
class RelayWant:
    """All the topics that the sender wants from now on; `number` grows."""

    word: ClassVar[str] = "want"

    number: int
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelayTaken:
    """How many `data` of this link and epoch were taken; `stale` of them came too late to be of use."""

    word: ClassVar[str] = "taken"

    count: int
    stale: int


@dataclass(frozen=True, slots=True)
class RelayNode:
    """A node of the sender's host. Nodes are equal that differ in their `rates` alone, which are messages a
    second by topic, of those where they are known.
    """

    node: str
    role: str
    session: str
    pid: int
    publishes: tuple[str, ...]
    rates: Mapping[str, float] = field(default_factory=dict[str, float], compare=False)


@dataclass(frozen=True, slots=True)
class RelayNodes:
    """All the nodes of the sender's host, and what of theirs may be wanted."""

    word: ClassVar[str] = "nodes"

    nodes: tuple[RelayNode, ...]


@dataclass(frozen=True, slots=True)
class RelayData:
    """A message of the sender's host, as it was published there.

    Its age counts from `began_ns` of the sender's monotonic clock; `thinned` messages of its topic were left
    out on purpose since the last one.
    """

    word: ClassVar[str] = "data"

    began_ns: int
    thinned: int
    parts: Sequence[Buffer]


@dataclass(frozen=True, slots=True)
class RelayAsk:
    """A control request to a node of the other host; the reply brings back `route`."""

    word: ClassVar[str] = "ask"

    route: str
    parts: Sequence[Buffer]


@dataclass(frozen=True, slots=True)
class RelayReply:
    """The reply to the request that came with `route`."""

    word: ClassVar[str] = "reply"

    route: str
    parts: Sequence[Buffer]


@dataclass(frozen=True, slots=True)
class RelayBye:
    """The sender ends, and will not answer."""

    word: ClassVar[str] = "bye"


RelayMessage = (
    RelayPing | RelayPong | RelayWant | RelayTaken | RelayNodes | RelayData | RelayAsk | RelayReply | RelayBye
)


def encode_relay(message: RelayMessage) -> list[Buffer]:
    """Write a message to another relay as its parts. Raises WireError."""
    header: dict[str, Any] = {"v": WIRE_VERSION}
    parts: list[Buffer] = []
    if isinstance(message, RelayData | RelayAsk | RelayReply):
        parts = list(message.parts)
    for name in map(str, message.__slots__):
        value: Any = getattr(message, name)
        if name == "nodes":
            value = [_node_map(node) for node in cast(tuple[RelayNode, ...], value)]
        if name != "parts":
            header[name] = list(cast(tuple[Any, ...], value)) if isinstance(value, tuple) else value
    return [message.word.encode(), pack_map(header, RELAY_HEADER_MAX_BYTES), *parts]


def decode_relay(parts: Sequence[Buffer]) -> RelayMessage:
    """Read a message from another relay; the messages that it carries stay unread. Raises WireError."""
    if len(parts) < 2:
        raise WireError("wrong_part_count", f"{len(parts)} parts, not 2 or more")
    word = bytes(parts[0][:16]).decode("ascii", errors="replace")
    if word not in _READERS:
        raise WireError("bad_topic", f"{word!r} is no word of relays")
    header = unpack_map(bytes(parts[1]), RELAY_HEADER_MAX_BYTES)
    check_version(header)
    fewest, most = _CARRIED.get(word, (0, 0))
    if not fewest <= len(parts) - 2 <= most:
        raise WireError("wrong_part_count", f"{len(parts) - 2} parts carried by {word}")
    return _READERS[word](header, parts[2:])


def _node_map(node: RelayNode) -> dict[str, Any]:
    own = {name: getattr(node, name) for name in node.__slots__ if name != "rates"}
    rates = {"rates": dict(node.rates)} if node.rates else {}
    return own | {"publishes": list(node.publishes)} | rates


def _read_ping(header: Header, parts: Sequence[Buffer]) -> RelayPing:
    link = read_text(header, "link", 16)
    if link not in RELAY_LINKS:
        raise WireError("wrong_type", f"{link!r} is not a link of relays")
    return RelayPing(
        read_text(header, "rig", 64),
        read_text(header, "host", 64),
        link,
        read_text(header, "session", 64),
        read_int(header, "sent_ns"),
    )


def _read_pong(header: Header, parts: Sequence[Buffer]) -> RelayPong:
    return RelayPong(
        read_text(header, "host", 64),
        read_text(header, "session", 64),
        read_text(header, "epoch", 64),
        read_int(header, "sent_ns"),
        read_int(header, "mono_ns"),
        read_int(header, "utc_ns"),
        read_int(header, "wanted"),
    )


def _read_want(header: Header, parts: Sequence[Buffer]) -> RelayWant:
    return RelayWant(read_int(header, "number", 1), _read_topics(header, "topics", RELAY_TOPICS_MAX))


def _read_taken(header: Header, parts: Sequence[Buffer]) -> RelayTaken:
    return RelayTaken(read_int(header, "count"), read_int(header, "stale"))


def _read_nodes(header: Header, parts: Sequence[Buffer]) -> RelayNodes:
    return RelayNodes(tuple(map(_read_node, read_list(header, "nodes", RELAY_NODES_MAX))))


def _read_node(value: Any) -> RelayNode:
    if not isinstance(value, Mapping):
        raise WireError("wrong_type", f"a node is {type(value).__name__}, not a map")
    node = cast(Header, value)
    name = read_text(node, "node", 64)
    if not is_source_name(name):
        raise WireError("out_of_range", f"{name!r} is not a node id")
    role, session = read_text(node, "role", 64), read_text(node, "session", 64)
    if not role or not session:
        raise WireError("out_of_range", f"{name} has no role or session")
    topics = _read_topics(node, "publishes", RELAY_NODE_TOPICS_MAX)
    return RelayNode(name, role, session, read_int(node, "pid"), topics, _read_rates(node))


def _read_rates(node: Header) -> Mapping[str, float]:
    rates = read_map(node, "rates")
    if len(rates) > RELAY_NODE_TOPICS_MAX or any(len(topic) > TOPIC_MAX_BYTES for topic in rates):
        raise WireError(
            "out_of_range", f"rates of more than {RELAY_NODE_TOPICS_MAX} topics, or of what is none"
        )
    return {topic: check_number(rate, "a rate", 0.0, math.inf) for topic, rate in rates.items()}


def _read_data(header: Header, parts: Sequence[Buffer]) -> RelayData:
    return RelayData(read_int(header, "began_ns"), read_int(header, "thinned"), parts)


def _read_ask(header: Header, parts: Sequence[Buffer]) -> RelayAsk:
    return RelayAsk(read_text(header, "route", 64), parts)


def _read_reply(header: Header, parts: Sequence[Buffer]) -> RelayReply:
    return RelayReply(read_text(header, "route", 64), parts)


def _read_topics(header: Header, key: str, most: int) -> tuple[str, ...]:
    topics = read_list(header, key, most)
    for topic in topics:
        if not isinstance(topic, str):
            raise WireError("wrong_type", f"{key} holds {type(topic).__name__}, not texts")
        if not topic.isascii() or len(topic) > TOPIC_MAX_BYTES:
            raise WireError("out_of_range", f"{key} holds what is no topic")
    return tuple(topics)


_READERS: dict[str, Callable[[Header, Sequence[Buffer]], RelayMessage]] = {
    "ping": _read_ping,
    "pong": _read_pong,
    "want": _read_want,
    "taken": _read_taken,
    "nodes": _read_nodes,
    "data": _read_data,
    "ask": _read_ask,
    "reply": _read_reply,
    "bye": lambda header, parts: RelayBye(),
}
# How many parts of another message come behind the header, at least and at most.
_CARRIED = {"data": (2, PARTS_MAX), "ask": (2, 2), "reply": (2, 2)}
