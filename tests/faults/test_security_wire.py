"""Bytes that should not be sent, at every port: all live on and count, honest ones lose nothing.

The rows of the threat table are in README.md; each test names its own.
"""

from __future__ import annotations

import random
import socket
import struct
from contextlib import suppress

import psutil
import pytest
import zmq
from honest import state_counters, wait_for_counters
from strangers import GREETING, open_raw, raw, stranger

from zbus.transport import EVERY, Puller, Subscriber
from zbus.wire import OVERLAY_MAX_BYTES

pytestmark = pytest.mark.fault

MB = 1_000_000
HANDSHAKES = 2_000


def rss(broker) -> int:
    return psutil.Process(broker.process.pid).memory_info().rss


def test_s3_parts_that_are_too_large(exposed, honest, wait_until):
    with (
        stranger(zmq.DEALER, exposed.directory) as control,
        stranger(zmq.XSUB, exposed.subscribe) as subscriber,
        Puller("tcp://127.0.0.1:0") as door,
        stranger(zmq.PUSH, door.endpoint) as pusher,
    ):
        control.send_multipart([b"control/directory/", b"x" * 2_000_000])
        subscriber.send(b"\1" + b"x" * 100_000)
        pusher.send(b"x" * (OVERLAY_MAX_BYTES + 1))
        pusher.send(b"good")
        taken: list[bytes] = []
        wait_until(lambda: taken.extend(door.take()) or taken)
        assert taken == [b"good"]
    counters = state_counters(exposed)
    assert counters["subscribers_disconnected"] > 0
    assert counters["control_disconnected"] > 0


def test_s3_a_real_part_past_the_limit_is_not_kept(exposed, honest):
    """Sent for real where the limit is largest, at the port for frames."""
    before = rss(exposed)
    with raw(exposed.publish, b"PUB") as peer:
        peer.sendall(b"\x02" + struct.pack(">Q", 2**31))
        with suppress(OSError):
            for _ in range(100):
                peer.sendall(bytes(MB))
        assert was_closed(peer)
    assert rss(exposed) - before < 20 * MB


def was_closed(peer: socket.socket) -> bool:
    """True once the other side has ended the connection; fails at the socket's timeout."""
    try:
        while peer.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


def test_s4_sizes_that_lie_take_no_memory(exposed, honest):
    before = rss(exposed)
    for endpoint, kind in zip(exposed.places, (b"DEALER", b"PUB", b"SUB"), strict=True):
        for claim in [2**20, 2**31, 2**33, 2**62, 2**63 - 1, 2**64 - 1] * 5:
            with raw(endpoint, kind) as peer, suppress(OSError):
                peer.sendall(b"\x02" + struct.pack(">Q", claim) + b"x" * 1_000)
    state_counters(exposed)
    assert rss(exposed) - before < 20 * MB


def test_s6_garbage_at_every_port(exposed, honest):
    chance = random.Random(7)
    for endpoint in exposed.places * 20:
        with open_raw(endpoint) as peer, suppress(OSError):
            peer.sendall(greetings(chance) + chance.randbytes(chance.randint(1, 5_000)))


def greetings(chance: random.Random) -> bytes:
    """How programs of other kinds begin, ZeroMQ of old times among them."""
    old = (
        b"\x01\x00",
        b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f",
        b"\xff" + bytes(8) + b"\x7f\x01\x02\x00\x00",
    )
    web = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n"
    return chance.choice([b"", b"\xff", GREETING, *old, *web])


def test_s6_handshakes_with_bytes_turned_over(exposed, honest):
    chance = random.Random(11)
    ready = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"
    for number in range(HANDSHAKES):
        bent = bytearray(GREETING + ready)
        for _ in range(chance.randint(1, 6)):
            bent[chance.randrange(len(bent))] = chance.randrange(256)
        with open_raw(exposed.places[number % 3]) as peer, suppress(OSError):
            peer.sendall(bent)


def test_s6_a_port_scan(exposed, honest):
    for endpoint in exposed.places * 100:
        open_raw(endpoint).close()


@pytest.mark.parametrize(
    "greeting",
    [b"\x01\x00", b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x01\x02\x00\x00"],
    ids=["ZMTP 1.0", "ZMTP 2.0"],
)
def test_s6_old_zeromq_is_turned_away_at_every_port(exposed, greeting):
    for endpoint in exposed.places:
        with open_raw(endpoint) as peer:
            peer.sendall(greeting + b"\x00\x00" * 10)
            assert was_closed(peer)


def test_s6_what_a_web_page_posts_is_no_message(wait_until):
    """To ZMTP 1.0 any bytes are messages: those of this request would end in a drawing."""
    drawing = b'{"DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [30, 40]}}'
    with Puller("tcp://127.0.0.1:0") as door, open_raw(door.endpoint) as browser:
        browser.sendall(posted_as_messages(drawing))
        assert was_closed(browser)
        assert door.take() == []
        assert door.wrong_part_count == 0


def posted_as_messages(drawing: bytes) -> bytes:
    """An HTTP request whose body goes on where, taken as lengths and messages, its head ends."""
    head = (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1:5556\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        b"Content-Length: 200\r\nOrigin: http://evil.example\r\nSec-Fetch-Mode: no-cors\r\n\r\n"
    )
    at = 0
    while at < len(head):
        at += 1 + head[at]
    body = bytes(at - len(head)) + bytes([len(drawing) + 1, 0]) + drawing
    return head + body.ljust(200, b"\1")


def test_messages_of_many_parts(exposed, honest):
    with (
        stranger(zmq.DEALER, exposed.directory) as control,
        stranger(zmq.PUB, exposed.publish) as publisher,
        stranger(zmq.XSUB, exposed.subscribe) as subscriber,
    ):
        for peer in (control, publisher, subscriber):
            for count in (4, 17, 1_000, 20_000):
                peer.send_multipart([b"frame/liar/"] + [b"x"] * count)
        counters = wait_for_counters(exposed, lambda now: now["refused"] >= 4 and now["control_refused"] >= 4)
    assert counters["forwarded"] > 0


def test_a_message_that_breaks_off(exposed, honest):
    """Parts that say that more follow, and nothing follows: whoever subscribes sees none of it."""
    with Subscriber(exposed.subscribe, "frame/liar/", policy=EVERY) as victim:
        for count in range(1, 5):
            with raw(exposed.publish, b"PUB") as peer:
                peer.recv(100)
                peer.sendall(b"\x01\x0bframe/liar/" * count)
        assert victim.recv(0.5) is None
        assert victim.counters.refused == {}


def test_control_garbage(exposed, honest):
    chance = random.Random(7)
    words = [b"control/directory/", b"control/n1/", b"reply/n1/", b"", b"\x80", b"\x81\xa1v\x01", b"\xc1"]
    with stranger(zmq.DEALER, exposed.directory) as peer:
        for _ in range(2_000):
            count = chance.randint(1, 6)
            peer.send_multipart([chance.choice([*words, chance.randbytes(20)]) for _ in range(count)])
        wait_for_counters(exposed, lambda now: now["control_refused"] > 1_000)
