"""What of this host others may have: its own nodes, and not those that a relay brought here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from zbus.wire import RELAY_NODE_TOPICS_MAX, RELAY_NODES_MAX, RelayNode, is_source_name
from zbus_brokers.relay._expansion import OWN_NODES, may_cross

# Why less than what a message between relays may have: the last node must fit whole.
LISTING_MAX_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Exports:
    """Nodes of this host and, of each topic that may cross, the endpoints of its publisher.

    `local` are all topics that are published here, whether they may cross or not.
    """

    nodes: tuple[RelayNode, ...] = ()
    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The ids of the nodes."""
        return frozenset(node.node for node in self.nodes)


def read_exports(listing: Iterable[Any], allowed: Sequence[str]) -> Exports:
    """What the directory lists, but for what came here by a relay. What does not fit is left out.

    Of a node that is listed twice and no duplicate, the later one counts: it came back.
    """
    nodes: dict[tuple[str, str], RelayNode] = {}
    topics: dict[str, Sequence[str]] = {}
    local: set[str] = set()
    room = LISTING_MAX_BYTES
    for entry in listing:
        if not isinstance(entry, Mapping) or entry.get("via"):
            continue
        published = [str(name) for name in entry.get("publishes", ())]
        local.update(published)
        node = _node_of(entry, [name for name in published if may_cross(name, allowed)])
        if node is None or len(nodes) >= RELAY_NODES_MAX:
            continue
        # Why: one that came back is listed beside its former session till that lease ends. Announced there
        # together they would seem to be two that speak at a time.
        session = node.session if entry.get("duplicate") else ""
        room -= 120 + 2 * len(node.node) + sum(len(name) + 3 for name in node.publishes)
        # Why 9 more: a number of the rates.
        room -= sum(len(name) + 12 for name in node.rates)
        if room > 0:
            nodes[node.node, session] = node
            endpoints = [str(each) for each in entry.get("endpoints", ())]
            topics |= dict.fromkeys(node.publishes, endpoints)
    return Exports(tuple(nodes.values()), topics, frozenset(local))


def _node_of(entry: Mapping[str, Any], topics: list[str]) -> RelayNode | None:
    name = str(entry.get("node", ""))
    if not is_source_name(name) or name in OWN_NODES:
        return None
    role, session, pid = str(entry.get("role")), str(entry.get("session")), entry.get("pid")
    pid = pid if isinstance(pid, int) and pid >= 0 else 0
    topics = topics[:RELAY_NODE_TOPICS_MAX]
    return RelayNode(name, role[:64], session[:64], pid, tuple(topics), _rates_of(entry, topics))


def _rates_of(entry: Mapping[str, Any], topics: Iterable[str]) -> dict[str, float]:
    rates = entry.get("rates")
    if not isinstance(rates, Mapping):
        return {}
    known = cast(Mapping[str, Any], rates)
    return {topic: float(known[topic]) for topic in topics if isinstance(known.get(topic), float | int)}
