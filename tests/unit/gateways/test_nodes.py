from __future__ import annotations

import pytest

from zbus.gateways._nodes import NODES_MAX, Node, NodeTable
from zbus.wire import State

S = 1_000_000_000


def hear(table: NodeTable, name: str, state: str = "running", now_ns: int = 0, role: str = "tracker") -> Node:
    return table.hear(name, State(role, state, since_ns=5, host="h", pid=1), now_ns)


def test_nodes_are_listed_by_name_and_cameras_by_role() -> None:
    table = NodeTable()
    hear(table, "b", role="camera")
    hear(table, "a")
    assert [node.node for node in table] == ["a", "b"]
    assert [node.node for node in table.cameras()] == ["b"]


def test_a_silent_node_is_lost_once_and_comes_back() -> None:
    table = NodeTable()
    hear(table, "a", now_ns=0)
    assert table.expire(3 * S, utc_ns=100) == []
    (lost,) = table.expire(3 * S + 1, utc_ns=100)
    assert (lost.state.state, lost.state.since_ns, lost.gone) == ("lost", 100, True)
    assert lost.state.cause == "not heard for 3 s"
    assert table.expire(9 * S, utc_ns=200) == []
    assert hear(table, "a", now_ns=10 * S).state.state == "running"


def test_the_directory_may_know_it_first() -> None:
    table = NodeTable()
    hear(table, "a")
    lost = table.lose("a", "the directory lost it", utc_ns=100)
    assert lost is not None
    assert lost.state.cause == "the directory lost it"
    assert table.lose("a", "again", utc_ns=101) is None
    assert table.lose("unknown", "", utc_ns=100) is None


@pytest.mark.parametrize("state", ["ended", "failed", "stopped"])
def test_what_ended_by_itself_is_not_lost_afterwards(state: str) -> None:
    table = NodeTable()
    hear(table, "a", state)
    assert table.expire(60 * S, utc_ns=100) == []
    assert table.leave("a", utc_ns=100) is None


def test_a_node_that_leaves_is_stopped() -> None:
    table = NodeTable()
    hear(table, "a")
    left = table.leave("a", utc_ns=100)
    assert left is not None
    assert left.state.state == "stopped"


def test_the_longest_silent_is_forgotten_beyond_the_bound() -> None:
    table = NodeTable()
    for number in range(NODES_MAX + 1):
        hear(table, f"n{number}")
    assert table.find("n0") is None
    assert len(list(table)) == NODES_MAX
