from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import zmq

from zbus.transport import RELAY_IN, Reactor, bind, make_socket
from zbus.wire import RelayBye, RelayMessage, RelayPing, RelayPong, RelayTaken, decode_relay, encode_relay
from zbus_brokers.relay._line_out import PINGS_IN_A_ROW, TELL_TAKEN_EVERY, LineOut


class Far:
    """The other relay, as the test plays it."""

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        self.socket, self.endpoint = socket, endpoint
        self.identity = b""

    def recv(self) -> RelayMessage | None:
        try:
            self.identity, *parts = self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        return decode_relay(parts)

    def send(self, message: RelayMessage) -> None:
        self.socket.send_multipart([self.identity, *encode_relay(message)])


@pytest.fixture
def far() -> Iterator[Far]:
    socket = make_socket(zmq.ROUTER, RELAY_IN)
    yield Far(socket, bind(socket, "tcp://127.0.0.1:0"))
    socket.close(linger=0)


@pytest.fixture
def got() -> list[RelayMessage]:
    return []


@pytest.fixture
def line(far: Far, reactor: Reactor, got: list[RelayMessage]) -> Iterator[LineOut]:
    def who(sent_ns: int) -> RelayPing:
        return RelayPing("lab", "right", "small", "s", sent_ns)

    with LineOut(far.endpoint, who, reactor, got.append) as line:
        yield line


def ping_of(line: LineOut, far: Far, turn: Any) -> RelayPing:
    seen: list[Any] = []

    def look() -> bool:
        line.ping(time.monotonic_ns())
        seen.append(far.recv())
        return isinstance(seen[-1], RelayPing)

    turn(look)
    return seen[-1]


def pong_to(ping: RelayPing, epoch: str = "e1") -> RelayPong:
    return RelayPong("left", "s2", epoch, ping.sent_ns, 5, 6, 0)


def test_pings_follow_each_other_upon_pongs_but_not_for_ever(line: LineOut, far: Far, turn: Any) -> None:
    ping = ping_of(line, far, turn)
    seen = [ping]
    for _ in range(PINGS_IN_A_ROW - 1):
        assert line.note_pong(pong_to(seen[-1]))
        line.ping_on()
        turn(lambda: isinstance(answer := far.recv(), RelayPing) and seen.append(answer) is None)
    assert [each.sent_ns for each in seen] == sorted({each.sent_ns for each in seen})
    assert line.note_pong(pong_to(seen[-1]))
    line.ping_on()
    assert not far.socket.poll(100)


def test_a_pong_counts_once_and_only_for_a_ping_of_ours(
    line: LineOut, far: Far, turn: Any, got: list[Any]
) -> None:
    ping = ping_of(line, far, turn)
    assert (ping.rig, ping.host, ping.link) == ("lab", "right", "small")
    pong = pong_to(ping)
    far.send(pong)
    turn(lambda: got)
    assert got == [pong]
    assert line.note_pong(pong)
    assert line.epoch == "e1"
    assert not line.note_pong(pong)


def test_what_was_taken_is_told_and_begins_anew_with_the_epoch(line: LineOut, far: Far, turn: Any) -> None:
    line.note_pong(pong_to(ping_of(line, far, turn)))
    line.note_taken(is_stale=True, at_once=True)
    for _ in range(TELL_TAKEN_EVERY):
        line.note_taken(is_stale=False, at_once=False)
    told: list[Any] = []
    turn(lambda: told.append(far.recv()) or RelayTaken(TELL_TAKEN_EVERY + 1, 1) in told)
    assert RelayTaken(1, 1) in told
    line.note_pong(pong_to(ping_of(line, far, turn), "e2"))
    assert (line.taken, line.stale) == (0, 0)


def test_noise_is_counted_and_the_link_lives_on(
    line: LineOut, far: Far, turn: Any, got: list[RelayMessage]
) -> None:
    ping_of(line, far, turn)
    far.socket.send_multipart([far.identity, b"pang", b"\x80"])
    far.socket.send_multipart([far.identity, b"alone"])
    far.send(RelayBye())
    turn(lambda: got)
    assert (got, line.refused) == ([RelayBye()], 2)


def test_connected_anew_it_is_somebody_else_to_the_other_side(line: LineOut, far: Far, turn: Any) -> None:
    ping_of(line, far, turn)
    before = far.identity
    line.reopen()
    ping_of(line, far, turn)
    assert far.identity != before


def test_without_a_connection_nothing_is_sent(reactor: Reactor, free_endpoint: Any) -> None:
    line = LineOut(free_endpoint(), lambda sent_ns: RelayPing("a", "b", "small", "c", 1), reactor, print)
    assert not line.send(RelayBye())
    with line:
        assert not line.send(RelayBye())
    line.close()


def test_only_answers_show_that_somebody_hears_us(line: LineOut, far: Far, turn: Any, got: list[Any]) -> None:
    """Whatever else comes, while our own way there may be cut."""
    ping = ping_of(line, far, turn)
    before_ns = line.heard_ns
    far.send(RelayBye())
    turn(lambda: got)
    assert line.heard_ns == before_ns
    assert line.note_pong(pong_to(ping))
    assert line.heard_ns > before_ns
