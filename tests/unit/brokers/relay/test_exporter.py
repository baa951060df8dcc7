"""One relay, asked by a test that plays the other host's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import zmq

from zbus.transport import RELAY_SMALL, connect, make_socket
from zbus.wire import (
    RelayAsk,
    RelayBye,
    RelayData,
    RelayMessage,
    RelayNodes,
    RelayPing,
    RelayPong,
    RelayReply,
    RelayTaken,
    RelayWant,
    Request,
    decode_relay,
    decode_reply,
    encode_relay,
    encode_request,
)

from .conftest import DEADLINE_S, Hosts, Running


class Asker:
    """One link to the relay of a host."""

    def __init__(self, endpoint: str, link: str = "small", host: str = "right") -> None:
        self.link, self.host = link, host
        self.socket = make_socket(zmq.DEALER, RELAY_SMALL)
        connect(self.socket, endpoint)
        self.seen: list[RelayMessage] = []

    def send(self, message: RelayMessage) -> None:
        assert self.socket.poll(int(DEADLINE_S * 1000), zmq.POLLOUT)
        self.socket.send_multipart(encode_relay(message))

    def ping(self, session: str = "s1", rig: str = "lab") -> None:
        self.send(RelayPing(rig, self.host, self.link, session, time.monotonic_ns()))

    def until(self, kind: type[Any], condition: Any = lambda message: True) -> Any:
        """The next message of a kind for which the condition holds; pings meanwhile."""
        deadline_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s:
            self.ping()
            while self.socket.poll(100):
                message = decode_relay(self.socket.recv_multipart())
                self.seen.append(message)
                if isinstance(message, kind) and condition(message):
                    return message
        raise AssertionError(f"no such {kind.__name__} among {self.seen[-5:]}")

    def close(self) -> None:
        self.socket.close(linger=0)


@pytest.fixture
def left(hosts: Hosts) -> Running:
    hosts.start_broker("left")
    return hosts.start_relay("left")


@pytest.fixture
def asker(left: Running, hosts: Hosts) -> Iterator[Asker]:
    asker = Asker(hosts.plans["left"].relay_endpoint)
    yield asker
    asker.close()


def test_who_pings_is_told_the_clocks_and_the_nodes(asker: Asker) -> None:
    pong = asker.until(RelayPong)
    assert (pong.host, pong.wanted) == ("left", 0)
    assert pong.mono_ns <= time.monotonic_ns()
    nodes = asker.until(RelayNodes, lambda said: said.nodes).nodes
    assert [node.node for node in nodes] == ["relay.left"]


def test_what_is_wanted_comes_and_the_last_state_at_once(asker: Asker) -> None:
    asker.until(RelayNodes, lambda said: said.nodes)
    asker.send(RelayWant(1, ("state/relay.left/", "state/nobody/")))
    data = asker.until(RelayData)
    assert bytes(data.parts[0]) == b"state/relay.left/"
    assert asker.until(RelayPong, lambda pong: pong.wanted == 1)
    asker.send(RelayTaken(1, 0))
    asker.until(RelayData)


def test_a_request_is_answered_and_one_for_nobody_here_is_not_carried(asker: Asker) -> None:
    asker.until(RelayNodes, lambda said: said.nodes)
    request = encode_request(Request("r1", "directory", "nodes"))
    asker.send(RelayAsk("far", request))
    asker.send(RelayAsk("near", encode_request(Request("r2", "relay.left", "status"))))
    refused = asker.until(RelayReply, lambda reply: reply.route == "far")
    assert decode_reply(refused.parts).error_code == "unknown_node"
    near = asker.until(RelayReply, lambda reply: reply.route == "near")
    assert decode_reply(near.parts).result["role"] == "relay"


def test_noise_and_strangers_cost_nothing_but_a_count(asker: Asker, hosts: Hosts, wait_until: Any) -> None:
    stranger = Asker(hosts.plans["left"].relay_endpoint, host="top")
    try:
        for message in (RelayTaken(1, 0), RelayWant(1, ("state/relay.left/",)), RelayBye()):
            stranger.send(message)
        for parts in (
            [b""],
            [b"ping"],
            [b"ping", b"\xc1"],
            [b"x" * 1000, b"\x80"],
            [b"data", b"\x80", b"", b""],
        ):
            stranger.socket.send_multipart(parts)
        stranger.ping()
        stranger.host = "left"
        stranger.ping()
        stranger.host = "right"
        stranger.ping(rig="other")
        asker.until(RelayNodes, lambda said: said.nodes)
        asker.send(RelayTaken(10**18, 10**18))
        asker.send(RelayWant(1, ("nothing", "state//", "\x00" * 100)))
        asker.until(RelayPong, lambda pong: pong.wanted == 1)
        wait_until(lambda: "relay.left" in hosts.nodes("left"))
        counters = hosts.ask("left", "status", "relay.left")["counters"]
        assert counters["refused"] >= 11
    finally:
        stranger.close()


def test_who_is_silent_is_forgotten(asker: Asker, hosts: Hosts, wait_until: Any) -> None:
    epoch = asker.until(RelayPong).epoch
    wait_until(lambda: "relay.left" in hosts.nodes("left"))
    wait_until(lambda: not hosts.details("left", "right")["to"])
    assert asker.until(RelayPong, lambda pong: pong.epoch != epoch)


def test_another_start_of_the_same_host_begins_anew(asker: Asker) -> None:
    asker.until(RelayNodes, lambda said: said.nodes)
    asker.send(RelayWant(1, ("state/relay.left/",)))
    epoch = asker.until(RelayPong, lambda pong: pong.wanted == 1).epoch
    asker.ping("s2")
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        assert asker.socket.poll(int(DEADLINE_S * 1000))
        message = decode_relay(asker.socket.recv_multipart())
        if isinstance(message, RelayPong) and message.epoch != epoch:
            assert message.wanted == 0
            return
