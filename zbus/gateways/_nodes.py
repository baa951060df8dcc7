"""Who is on the bus, as far as the gateway has heard. Holds no socket and reads no clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from zbus.wire import DEGRADED, LOST_STATE, RUNNING, STARTING, STOPPED, State

CAMERA_ROLE = "camera"
NODES_MAX = 1_024
SILENCE_MAX_S = 3.0

_GOES_ON = (STARTING, RUNNING, DEGRADED, LOST_STATE)


@dataclass(frozen=True, slots=True)
class Node:
    """A node with the last state that is known of it, and when it was heard (monotonic).

    `gone` is true once the state is our own conclusion and not what the node said.
    """

    node: str
    state: State
    heard_ns: int
    gone: bool = False


class NodeTable:
    """Nodes by id; one that falls silent or is told lost is kept, as lost. At most NODES_MAX."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[str, Node] = OrderedDict()

    def __iter__(self) -> Iterator[Node]:
        return iter(sorted(self._nodes.values(), key=lambda node: node.node))

    def find(self, name: str) -> Node | None:
        """The node called `name`."""
        return self._nodes.get(name)

    def cameras(self) -> list[Node]:
        """The nodes that are cameras, by name."""
        return [node for node in self if node.state.role == CAMERA_ROLE]

    def hear(self, name: str, state: State, now_ns: int) -> Node:
        """Take in what a node says of itself."""
        node = self._nodes[name] = Node(name, state, now_ns)
        self._nodes.move_to_end(name)
        if len(self._nodes) > NODES_MAX:
            self._nodes.popitem(last=False)
        return node

    def lose(self, name: str, cause: str, utc_ns: int) -> Node | None:
        """Mark a node as lost; None where it is not known or ended by itself."""
        return self._conclude(name, LOST_STATE, cause, utc_ns)

    def leave(self, name: str, utc_ns: int) -> Node | None:
        """Mark a node as stopped, because it said good-bye; None as for `lose`."""
        return self._conclude(name, STOPPED, "", utc_ns)

    def expire(self, now_ns: int, utc_ns: int) -> list[Node]:
        """Mark as lost who was not heard for SILENCE_MAX_S; returns those."""
        cause = f"not heard for {SILENCE_MAX_S:g} s"
        silent = [node.node for node in self._nodes.values() if now_ns - node.heard_ns > SILENCE_MAX_S * 1e9]
        return [node for name in silent if (node := self.lose(name, cause, utc_ns))]

    def _conclude(self, name: str, state: str, cause: str, utc_ns: int) -> Node | None:
        node = self._nodes.get(name)
        if node is None or node.gone or node.state.state not in _GOES_ON:
            return None
        concluded = replace(node.state, state=state, cause=cause, since_ns=utc_ns)
        self._nodes[name] = replace(node, state=concluded, gone=True)
        return self._nodes[name]
