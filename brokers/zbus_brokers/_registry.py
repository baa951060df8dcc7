"""Who is on the bus: announced nodes with leases. Holds no socket and reads no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from zbus.errors import RequestRefused
from zbus.wire import is_source_name

NODES_MAX = 1_024
LISTED_MAX = 64
TEXT_MAX_CHARS = 256
LEASE_S = 2.0
# A reply has 262 144 bytes (spec 7).
LISTING_MAX_BYTES = 250_000


@dataclass(slots=True)
class Entry:
    """One node as it announced itself, the way to reach it, and when it was heard of last."""

    node: str
    role: str
    session: str
    host: str
    pid: int
    publishes: list[str]
    endpoints: list[str]
    rates: dict[str, float]
    via: str
    identity: bytes = field(repr=False, default=b"")
    first_ns: int = 0
    heard_ns: int = 0

    @property
    def max_bytes(self) -> int:
        """No less than what the entry takes in a listing."""
        texts = [self.node, self.role, self.session, self.host, self.via, *self.publishes, *self.endpoints]
        # Why 9 more: a number of the rates.
        rated = sum(14 + len(topic.encode()) for topic in self.rates)
        return 160 + rated + sum(5 + len(text.encode()) for text in texts)

    def to_map(self, now_ns: int, duplicate: bool) -> dict[str, Any]:
        """The entry as the directory lists it."""
        return {
            "node": self.node,
            "role": self.role,
            "session": self.session,
            "host": self.host,
            "pid": self.pid,
            "publishes": self.publishes,
            "endpoints": self.endpoints,
            "rates": self.rates,
            "via": self.via,
            "age_s": round((now_ns - self.heard_ns) / 1e9, 3),
            "duplicate": duplicate,
        }


class Registry:
    """Nodes by id and session, each kept for LEASE_S after it was last heard of.

    Two live sessions of one node id are duplicates: both are listed, and the newest is the one to ask.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}

    def announce(self, args: Mapping[str, Any], identity: bytes, now_ns: int) -> tuple[Entry, bool]:
        """Take an announcement; returns the entry and whether it is new. Raises RequestRefused."""
        entry = _read_entry(args)
        key = (entry.node, entry.session)
        before = self._entries.get(key)
        is_new = before is None
        entry.identity, entry.heard_ns = identity, now_ns
        entry.first_ns = now_ns if before is None else before.first_ns
        if is_new and len(self._entries) >= NODES_MAX:
            raise RequestRefused("busy", f"the directory holds {NODES_MAX} nodes already")
        self._entries[key] = entry
        return entry, is_new

    def leave(self, node: str, session: str) -> Entry | None:
        """Forget a node that says good-bye, and return what it was; None where it was not known."""
        return self._entries.pop((node, session), None)

    def expire(self, now_ns: int) -> list[Entry]:
        """Forget and return those whose lease ran out."""
        gone = [entry for entry in self._entries.values() if now_ns - entry.heard_ns > LEASE_S * 1e9]
        for entry in gone:
            del self._entries[entry.node, entry.session]
        return gone

    def is_duplicate(self, node: str) -> bool:
        """True while two sessions of this node are alive."""
        return _is_duplicate(self._sessions(node))

    def find(self, node: str) -> Entry | None:
        """The newest live session of a node."""
        return max(self._sessions(node), key=lambda entry: entry.first_ns, default=None)

    def names(self) -> list[str]:
        """Ids of all nodes, sorted."""
        return sorted({entry.node for entry in self._entries.values()})

    def listing(self, now_ns: int) -> dict[str, Any]:
        """All nodes as maps, by name: `nodes`, and `left_out`, how many did not fit into one reply."""
        by_name = sorted(self._entries.values(), key=lambda entry: entry.node)
        nodes: list[dict[str, Any]] = []
        room = LISTING_MAX_BYTES
        for _, group in groupby(by_name, key=lambda entry: entry.node):
            sessions = list(group)
            duplicate = _is_duplicate(sessions)
            for entry in sessions:
                room -= entry.max_bytes
                if room > 0:
                    nodes.append(entry.to_map(now_ns, duplicate))
        return {"nodes": nodes, "left_out": len(by_name) - len(nodes)}

    def publishers(self, topic: str) -> list[dict[str, Any]]:
        """Who publishes topics that start with `topic`, and at which endpoints of their own."""
        return [
            {
                "node": entry.node,
                "session": entry.session,
                "host": entry.host,
                "endpoints": entry.endpoints,
                "via": entry.via,
            }
            for entry in self._entries.values()
            if any(name.startswith(topic) for name in entry.publishes)
        ]

    def _sessions(self, node: str) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.node == node]


def _is_duplicate(sessions: list[Entry]) -> bool:
    """A session that is silent since the newest one came was replaced by it: a restart, not a duplicate."""
    newest_ns = max((entry.first_ns for entry in sessions), default=0)
    return any(entry.first_ns < newest_ns < entry.heard_ns for entry in sessions)


def _read_entry(args: Mapping[str, Any]) -> Entry:
    node = _text(args, "node")
    if not is_source_name(node):
        raise RequestRefused("bad_message", f"{node!r} is not a node id")
    pid = args.get("pid", 0)
    if type(pid) is not int:
        raise RequestRefused("bad_message", "pid is not an integer")
    return Entry(
        node=node,
        role=_text(args, "role"),
        session=_text(args, "session"),
        host=_text(args, "host"),
        pid=pid,
        publishes=_texts(args, "publishes"),
        endpoints=_texts(args, "endpoints"),
        rates=_rates(args),
        via=_text(args, "via") if args.get("via") else "",
    )


def _text(args: Mapping[str, Any], key: str) -> str:
    value = args.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX_CHARS:
        raise RequestRefused("bad_message", f"{key} is not a text of 1 to {TEXT_MAX_CHARS} characters")
    return value


def _texts(args: Mapping[str, Any], key: str) -> list[str]:
    value = args.get(key, [])
    if not isinstance(value, list) or len(value) > LISTED_MAX:
        raise RequestRefused("bad_message", f"{key} is not a list of at most {LISTED_MAX}")
    if not all(isinstance(item, str) and len(item) <= TEXT_MAX_CHARS for item in value):
        raise RequestRefused("bad_message", f"{key} holds what is not a short text")
    return value


def _rates(args: Mapping[str, Any]) -> dict[str, float]:
    rates = args.get("rates", {})
    if not isinstance(rates, dict) or len(rates) > LISTED_MAX:
        raise RequestRefused("bad_message", f"rates is not a map of at most {LISTED_MAX}")
    for topic, rate in rates.items():
        if len(topic) > TEXT_MAX_CHARS or type(rate) not in (int, float) or rate < 0:
            raise RequestRefused("bad_message", "rates holds what is no rate of a topic")
    return {topic: float(rate) for topic, rate in rates.items()}
