from __future__ import annotations

from typing import Any

from zbus.wire import RELAY_NODES_MAX, RelayNode, RelayNodes, encode_relay
from zbus_brokers.relay._exports import read_exports

ALLOWED = ["frame/", "state/"]


def entry(node: str = "cam1", **changes: Any) -> dict[str, Any]:
    publishes = [f"frame/{node}/", f"frame.jpeg/{node}/", f"state/{node}/"]
    own = {"node": node, "role": "camera", "session": "s", "host": "h", "pid": 7, "publishes": publishes}
    return own | {"endpoints": ["ipc:///x"], "via": ""} | changes


def test_own_nodes_are_offered_with_the_topics_that_may_cross() -> None:
    exports = read_exports([entry(), entry("far", via="relay.left"), entry("directory")], ALLOWED)
    assert exports.nodes == (RelayNode("cam1", "camera", "s", 7, ("frame/cam1/", "state/cam1/")),)
    assert exports.topics == {"frame/cam1/": ["ipc:///x"], "state/cam1/": ["ipc:///x"]}
    assert exports.names == {"cam1"}
    assert "frame.jpeg/cam1/" in exports.local
    assert "frame/far/" not in exports.local


def test_rates_are_told_of_what_may_cross() -> None:
    rates = {"frame/cam1/": 29.97, "frame.jpeg/cam1/": 5.0, "state/cam1/": "often"}
    (node,) = read_exports([entry(rates=rates)], ALLOWED).nodes
    assert node.rates == {"frame/cam1/": 29.97}
    (bare,) = read_exports([entry(rates=None)], ALLOWED).nodes
    assert bare.rates == {}
    assert node == bare


def test_what_is_odd_is_left_out() -> None:
    odd: list[Any] = [None, 5, entry("-x"), entry(node="x" * 65), {"node": "bare"}, entry(pid=-1)]
    exports = read_exports(odd, ALLOWED)
    assert [node.node for node in exports.nodes] == ["bare", "cam1"]
    assert exports.nodes[1].pid == 0


def test_what_is_offered_always_fits_into_one_message() -> None:
    topics = [f"frame/{'x' * 60}{number:03}/" for number in range(64)]
    rates = dict.fromkeys(topics, 30.0)
    many = [entry(f"n{number}", publishes=topics, rates=rates) for number in range(300)]
    exports = read_exports(many, ALLOWED)
    assert 10 < len(exports.nodes) <= RELAY_NODES_MAX
    encode_relay(RelayNodes(exports.nodes))
    exports = read_exports([entry(f"n{number}") for number in range(300)], ALLOWED)
    assert len(exports.nodes) == RELAY_NODES_MAX
    encode_relay(RelayNodes(exports.nodes))


def test_a_node_that_came_back_is_offered_once_and_duplicates_are_both() -> None:
    former, now = entry(session="s1"), entry(session="s2", endpoints=["ipc:///y"])
    exports = read_exports([former, now], ALLOWED)
    assert [node.session for node in exports.nodes] == ["s2"]
    assert exports.topics["frame/cam1/"] == ["ipc:///y"]
    both = read_exports([entry(session="s1", duplicate=True), entry(session="s2", duplicate=True)], ALLOWED)
    assert [node.session for node in both.nodes] == ["s1", "s2"]
