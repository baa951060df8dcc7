"""Bytes that should not be sent, at every port: all live on and count, honest ones lose nothing.

The rows of the threat table are in README.md; each test names its own.
"""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import sys
from contextlib import suppress

import msgpack
import psutil
import pytest
import zmq
from honest import state_counters, wait_for_counters
from strangers import GREETING, open_raw, raw, stranger

from zbus.transport import EVERY, Publisher, Puller, Pusher, Subscriber
from zbus.wire import OVERLAY_MAX_BYTES, SIDE_MAX_PX, Event, Topic

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


def test_s13_topics_that_are_none_and_messages_that_lie(exposed, honest):
    bad_topics = [b"", b"frame", b"frame/cam1", b"\xff\xfe", b"frame/" + b"x" * 100_000 + b"/", b"/" * 50]
    lies = [
        [b"frame/liar/", b"\xc1"],
        [b"frame/liar/", b"\x80"],
        [b"frame/liar/", b"\x90" * 4_000],
        [b"frame/liar/", b"\xdd\xff\xff\xff\xff"],
        [b"state/liar/", b"\x80", b"x" * 200_000],
    ]
    # These would make the broker's subscribers deaf, so they end at the broker.
    too_large = [
        [b"state/liar/", b"x" * 200_000],
        [b"frame/liar/", b"x" * 5_000_000],
        [b"event/liar/", b"\x80", b"x" * 400_000],
    ]
    with (
        Subscriber(exposed.subscribe, "", policy=EVERY) as victim,
        stranger(zmq.XPUB, exposed.publish) as liar,
    ):
        # Until it is wanted: a PUB keeps back what nobody subscribes to.
        while liar.recv() != b"\1":
            pass
        for message in [*([topic, b"x"] for topic in bad_topics), *too_large, *lies]:
            liar.send_multipart(message)
        while sum(victim.counters.refused.values()) < len(lies):
            received = victim.recv(10)
            assert received is not None
            assert received.origin.node in ("n1", "directory")
    counters = wait_for_counters(exposed, lambda now: now["refused"] >= len(bad_topics) + len(too_large))
    assert counters["states_too_large"] == 1


def test_s13_two_publishers_of_one_name_are_found_and_neighbors_are_not_mixed_up(exposed, wait_until):
    """Not even with keys is a name proof: both are heard, and whoever listens is told."""
    found: list[object] = []
    with (
        Publisher("n1", connect=[exposed.publish]) as one,
        Publisher("n1", connect=[exposed.publish]) as other,
        Subscriber(exposed.subscribe, "event/cam1/", policy=EVERY, on_finding=found.append) as victim,
    ):
        wait_until(lambda: one.wants(Topic("event", "cam1")) and other.wants(Topic("event", "cam1")))

        def both_speak() -> bool:
            for publisher in (one, other):
                for source in ("cam1", "cam10", "cam11"):
                    publisher.send(Topic("event", source), Event("x", {}))
            received = victim.recv(1.0)
            assert received is None or str(received.topic) == "event/cam1/"
            return victim.counters.duplicates > 0

        wait_until(both_speak)
    assert "Duplicate" in {type(each).__name__ for each in found}


# Decodes each bomb and tells what the process's memory has grown by, at most.
_BOMBED = """
import resource, sys
from zbus.errors import WireError
from zbus.wire import decode_body, decode_message, decode_overlays
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for line in sys.stdin.buffer.read().split(b"\\n\\n"):
    topic, _, data = line.partition(b" ")
    data = bytes.fromhex(data.decode())
    try:
        decode_overlays(data) if topic == b"door" else decode_body(decode_message([topic, data]))
    except WireError as error:
        print(error.reason)
    else:
        print("taken")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
_DEEP = b"\x91" * 60_000
_BOMBS = {
    "a million arrays": (b"state/x/", b"\x90" * 2**20),
    "as many as a header holds": (b"tracks/x/", b"\xdd\x00\x03\xff\xfa" + b"\x90" * (262_144 - 6)),
    "deep": (b"state/x/", _DEEP),
    "an array that claims 4 billion": (b"state/x/", b"\xdd\xff\xff\xff\xff"),
    "a map that claims 4 billion": (b"state/x/", b"\xdf\xff\xff\xff\xff"),
    "a text that claims 4 GB": (b"state/x/", b"\xdb\xff\xff\xff\xffx"),
    "64 to the third": (b"state/x/", b"\xdc\x00\x40" + (b"\xdc\x00\x40" + b"\x90" * 64) * 64),
    "an extension type": (b"state/x/", b"\x81\xa1x\xc7\x08\x05" + bytes(8)),
    "a time past the calendar": (b"state/x/", b"\x81\xa1x\xd7\xff" + b"\xff" * 8),
    "JSON that is deep": (b"door", b"[" * 60_000),
    "JSON that is long": (b"door", b"[" + b"1," * 100_000 + b"1]"),
    "JSON that is not finite": (b"door", b'{"DRAW_CIRCLE": {"CENTER": [NaN, Infinity], "RADIUS": 1e999}}'),
    "JSON numbers without end": (b"door", b'{"DRAW_BOX": ' + b"9" * 60_000 + b"}"),
}


def test_s14_s15_bombs_are_refused_and_take_little_memory():
    lines = b"\n\n".join(topic + b" " + data.hex().encode() for topic, data in _BOMBS.values())
    run = subprocess.run([sys.executable, "-c", _BOMBED], input=lines, capture_output=True, check=True)
    *told, grown_kb = run.stdout.decode().split()
    assert dict(zip(_BOMBS, told, strict=True)).keys() == _BOMBS.keys()
    assert "taken" not in told
    # The input itself, in hex and as bytes, is of 5 MB.
    assert int(grown_kb) * 1_000 < 60 * MB


def test_s15_bombs_at_the_door_leave_it_open(wait_until):
    with Puller("tcp://127.0.0.1:0") as door, Pusher(door.endpoint) as pusher:
        for topic, data in _BOMBS.values():
            # A larger one would end the connection, and what was sent behind it with that.
            if topic == b"door" and len(data) <= OVERLAY_MAX_BYTES:
                wait_until(lambda data=data: pusher.send(data, timeout_s=1.0))
        wait_until(lambda: pusher.send(b"good", timeout_s=1.0))
        taken: list[bytes] = []
        wait_until(lambda: taken.extend(door.take()) or b"good" in taken)


_FRAME = {
    "v": 1, "node": "n9", "session": "a" * 16, "seq": 0, "published_ns": 1, "camera": "liar",
    "frame_number": 0, "captured_ns": 1, "mono_ns": 1, "clock": "host", "width": 4, "height": 4,
    "pixel_format": "mono8", "stride_bytes": 4, "codec": "raw", "nbytes": 16,
}  # fmt: skip
_SHAPES = [
    {"width": 100_000, "height": 100_000},
    {"width": SIDE_MAX_PX, "height": SIDE_MAX_PX, "stride_bytes": SIDE_MAX_PX, "nbytes": SIDE_MAX_PX**2},
    {"width": -4},
    {"height": 0},
    {"height": 2**62},
    {"stride_bytes": 1},
    {"stride_bytes": 2**40},
    {"nbytes": 17},
    {"pixel_format": "object"},
    {"pixel_format": "bgr8"},
    {"pixel_format": "mono16"},
    {"width": 4.0},
    {"width": True},
    {"width": "4"},
]


def test_s16_shapes_that_lie_are_refused_and_the_honest_frame_behind_them_is_not(exposed, wait_until):
    with (
        Subscriber(exposed.subscribe, "frame/liar/", policy=EVERY) as victim,
        stranger(zmq.XPUB, exposed.publish) as liar,
    ):
        while liar.recv() != b"\1frame/liar/":
            pass
        lies = [{**_FRAME, **shape, "seq": seq} for seq, shape in enumerate(_SHAPES)]
        for header in [*lies, {**_FRAME, "seq": len(lies)}]:
            liar.send_multipart([b"frame/liar/", msgpack.packb(header), bytes(16)])
        received = victim.recv(10)
        assert received is not None
        assert received.origin.seq == len(lies)
        assert sum(victim.counters.refused.values()) == len(lies)


def test_control_garbage(exposed, honest):
    chance = random.Random(7)
    words = [b"control/directory/", b"control/n1/", b"reply/n1/", b"", b"\x80", b"\x81\xa1v\x01", b"\xc1"]
    with stranger(zmq.DEALER, exposed.directory) as peer:
        for _ in range(2_000):
            count = chance.randint(1, 6)
            peer.send_multipart([chance.choice([*words, chance.randbytes(20)]) for _ in range(count)])
        wait_for_counters(exposed, lambda now: now["control_refused"] > 1_000)
