"""Strangers who send what they should not, to every port: all live on and count, honest ones lose nothing."""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress

import numpy as np
import pytest
import zmq

from zbus.transport import EVERY, FRAMES_OUT, Publisher, Puller, Requester, Subscriber
from zbus.wire import OVERLAY_MAX_BYTES, Topic, frame_of_image

pytestmark = pytest.mark.fault

CAM = Topic("frame", "cam1")
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


class Honest:
    """A camera at 25 Hz and who watches it, in threads of their own, while the test misbehaves."""

    def __init__(self, broker) -> None:
        self._broker = broker
        self._stop_asked = threading.Event()
        self._threads = [threading.Thread(target=self._publish), threading.Thread(target=self._listen)]
        self.heard = 0

    def __enter__(self) -> Honest:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        for thread in self._threads:
            thread.join()

    def _publish(self) -> None:
        image = np.zeros((480, 640), np.uint8)
        frame = frame_of_image(image, "mono8", camera="cam1", frame_number=0, captured_ns=0, mono_ns=0)
        with Publisher("n1", link=FRAMES_OUT, connect=[self._broker.publish]) as publisher:
            while not self._stop_asked.wait(0.04):
                publisher.send(CAM, frame)

    def _listen(self) -> None:
        with Subscriber(self._broker.subscribe, "frame/cam1/", policy=EVERY) as subscriber:
            while not self._stop_asked.is_set():
                self.heard += subscriber.recv(0.05) is not None
            self.counters = subscriber.counters


@pytest.fixture
def broker(start_broker):
    """In a process of its own, as in a rig: what a stranger costs it, it does not cost the honest."""
    return start_broker()


@pytest.fixture
def honest(broker, wait_until):
    """Whatever the test does: frames go on, and none is missing at the end."""
    with Honest(broker) as honest:
        wait_until(lambda: honest.heard > 5)
        yield honest
        heard = honest.heard
        wait_until(lambda: honest.heard > heard + 10)
    assert (honest.counters.gaps, honest.counters.refused, honest.counters.restarts) == (0, {}, 0)
    with Requester(broker.directory) as requester:
        assert requester.request("endpoints", timeout_s=20)["publish"] == broker.publish


def state_counters(broker) -> dict[str, float]:
    """What the broker itself says about what it has counted."""
    with Subscriber(broker.subscribe, "state/directory/") as subscriber:
        subscriber.recv(10)
        received = subscriber.recv(10)
        assert received is not None
        return received.body.counters


def port_of(endpoint: str) -> int:
    return int(endpoint.rsplit(":", 1)[1])


def raw(endpoint: str, kind: bytes) -> socket.socket:
    """A connection that has shaken hands as ZeroMQ does, for bytes that libzmq would not send."""
    peer = socket.create_connection(("127.0.0.1", port_of(endpoint)), timeout=10)
    peer.sendall(GREETING)
    left = len(GREETING)
    while left:
        left -= len(peer.recv(left))
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    peer.sendall(bytes([4, len(body)]) + body)
    return peer


def stranger(kind: int, endpoint: str) -> zmq.Socket[bytes]:
    """Somebody's plain socket."""
    peer = zmq.Context.instance().socket(kind)
    peer.setsockopt(zmq.LINGER, 0)
    peer.setsockopt(zmq.SNDTIMEO, 10_000)
    peer.setsockopt(zmq.RCVTIMEO, 10_000)
    peer.connect(endpoint)
    return peer


def test_garbage_at_every_port(broker, honest):
    chance = random.Random(7)
    for endpoint in broker.places * 20:
        with socket.create_connection(("127.0.0.1", port_of(endpoint)), timeout=10) as peer:
            start = chance.choice([b"", b"\xff", GREETING, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"])
            with suppress(OSError):
                peer.sendall(start + chance.randbytes(chance.randint(1, 5_000)))


def test_frames_cut_off_and_sizes_that_lie(broker, honest):
    for endpoint, kind in zip(broker.places, (b"DEALER", b"PUB", b"SUB"), strict=True):
        for claim in (2**20, 2**31, 2**62, 2**63 - 1):
            with raw(endpoint, kind) as peer, suppress(OSError):
                peer.sendall(b"\x02" + struct.pack(">Q", claim) + b"x" * 1_000)


def test_parts_that_are_too_large(broker, honest, wait_until):
    with (
        stranger(zmq.DEALER, broker.directory) as control,
        stranger(zmq.XSUB, broker.subscribe) as subscriber,
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
    counters = state_counters(broker)
    assert counters["subscribers_disconnected"] > 0
    assert counters["control_disconnected"] > 0


def test_messages_of_many_parts(broker, honest):
    with (
        stranger(zmq.DEALER, broker.directory) as control,
        stranger(zmq.PUB, broker.publish) as publisher,
        stranger(zmq.XSUB, broker.subscribe) as subscriber,
    ):
        for peer in (control, publisher, subscriber):
            for count in (4, 17, 1_000, 20_000):
                peer.send_multipart([b"frame/liar/"] + [b"x"] * count)
        counters = wait_for_counters(broker, lambda now: now["refused"] >= 4 and now["control_refused"] >= 4)
    assert counters["forwarded"] > 0


def wait_for_counters(broker, condition):
    while not condition(counters := state_counters(broker)):
        pass
    return counters


def test_topics_that_are_none_and_messages_that_lie(broker, honest):
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
        Subscriber(broker.subscribe, "", policy=EVERY) as victim,
        stranger(zmq.XPUB, broker.publish) as liar,
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
    counters = wait_for_counters(broker, lambda now: now["refused"] >= len(bad_topics) + len(too_large))
    assert counters["states_too_large"] == 1


def test_control_garbage(broker, honest):
    chance = random.Random(7)
    words = [b"control/directory/", b"control/n1/", b"reply/n1/", b"", b"\x80", b"\x81\xa1v\x01", b"\xc1"]
    with stranger(zmq.DEALER, broker.directory) as peer:
        for _ in range(2_000):
            count = chance.randint(1, 6)
            peer.send_multipart([chance.choice([*words, chance.randbytes(20)]) for _ in range(count)])
        wait_for_counters(broker, lambda now: now["control_refused"] > 1_000)


def test_connections_that_come_and_go(broker, honest):
    for endpoint in broker.places * 100:
        with socket.create_connection(("127.0.0.1", port_of(endpoint)), timeout=10) as peer:
            peer.sendall(GREETING)
    wait_for_counters(broker, lambda now: now["control_disconnected"] >= 100)


def test_many_subscriptions(broker, honest):
    with stranger(zmq.SUB, broker.subscribe) as peer:
        peer.setsockopt(zmq.SNDHWM, 0)
        for number in range(30_000):
            peer.subscribe(b"frame/x%d/" % number)
        counters = wait_for_counters(broker, lambda now: now["refused"] > 10_000)
        assert counters["subscriptions"] == 16_384
    wait_for_counters(broker, lambda now: now["subscriptions"] < 20)


def test_a_flood_at_the_publish_port(broker, honest):
    """Messages that nobody wants, as fast as they go: an XPUB asks nobody what is wanted."""
    with raw(broker.publish, b"PUB") as peer:
        message = b"\x01\x0bframe/liar/" + b"\x00\x01x"
        peer.sendall(message * 20_000)
        wait_for_counters(broker, lambda now: now["forwarded"] >= 20_000)
