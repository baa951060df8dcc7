from __future__ import annotations

from typing import Any

from zbus.wire import FRAMES_LINK, SMALL_LINK, RelayData, decode_relay
from zbus_brokers.relay._outbox import Outgoing
from zbus_brokers.relay._peer import Peer
from zbus_brokers.relay._window import FIRST_SIZE

MS = 1_000_000


class Wire:
    """Takes what is sent; `is_full` refuses it."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, RelayData]] = []
        self.is_full = False

    def send(self, identity: bytes, parts: list[Any]) -> bool:
        if not self.is_full:
            message = decode_relay(parts)
            assert isinstance(message, RelayData)
            self.sent.append((identity, message))
        return not self.is_full


def peer_with_links() -> Peer:
    peer = Peer("right", "s", lifespan_ns=200 * MS)
    assert peer.join(SMALL_LINK, b"small", 0)
    assert peer.join(FRAMES_LINK, b"frames", 0)
    return peer


def message(topic: str, number: int = 0, thinned: int = 0) -> Outgoing:
    return Outgoing(topic, [topic.encode(), b"%d" % number], 10, number * MS, thinned)


def test_frames_beyond_the_window_give_way_to_newer_ones() -> None:
    peer, wire = peer_with_links(), Wire()
    for number in range(FIRST_SIZE + 3):
        peer.put(message("frame/a/", number, thinned=1))
        peer.pump(wire.send, number * MS)
    assert [said.parts[1] for _, said in wire.sent] == [b"0", b"1"]
    assert peer.counters.replaced == 2
    window = peer.lines[FRAMES_LINK].window
    window.take(1, 10 * MS)
    peer.pump(wire.send, 10 * MS)
    identity, last = wire.sent[-1]
    assert (identity, last.parts[1], last.thinned) == (b"frames", b"4", 3)
    assert peer.of_topic == {"frame/a/": 3}


def test_a_frame_that_waited_too_long_is_not_sent() -> None:
    peer, wire = peer_with_links(), Wire()
    peer.put(message("frame/a/", 1))
    peer.put(message("state/a/", 1))
    peer.pump(wire.send, 300 * MS)
    assert [identity for identity, _ in wire.sent] == [b"small"]
    assert (peer.counters.stale, peer.counters.forwarded) == (1, 1)


def test_what_finds_no_room_or_no_link_is_dropped_and_counted() -> None:
    peer, wire = peer_with_links(), Wire()
    wire.is_full = True
    peer.put(message("state/a/"))
    peer.pump(wire.send, 0)
    assert peer.counters.dropped == 1
    alone = Peer("right", "s", 0)
    alone.put(message("state/a/"))
    assert alone.counters.dropped == 1


def test_a_link_that_is_connected_anew_begins_anew() -> None:
    peer = peer_with_links()
    peer.wants, peer.want_number = frozenset({"state/a/"}), 3
    before = peer.lines[SMALL_LINK].epoch
    assert not peer.join(SMALL_LINK, b"small", 5)
    assert peer.want_number == 3
    assert peer.join(SMALL_LINK, b"other", 6)
    assert (peer.want_number, peer.wants) == (0, frozenset())
    assert peer.lines[SMALL_LINK].epoch != before
