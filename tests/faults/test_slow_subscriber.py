"""A slow and a frozen subscriber beside a fast one: they lose messages, and nobody else anything."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import cache

import numpy as np
import psutil
import pytest
import zmq

from zbus.transport import EVERY, FRAMES_OUT, Publisher, Subscriber, SubscriberCounters
from zbus.wire import Frame, Topic, frame_of_image

pytestmark = pytest.mark.fault

CAM = Topic("frame", "cam1")
WIDTH, HEIGHT = 640, 480
GROWTH_MAX_BYTES = 40_000_000
WINDOWS_MAX = 8

# Somebody's script without zbus: `sleep` reads and then dawdles, `frozen` subscribes and never reads.
_PEER = """
import sys, time, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.subscribe("frame/cam1/")
socket.connect(sys.argv[2])
print("ready", flush=True)
while sys.argv[1] == "frozen":
    time.sleep(60)
while True:
    socket.recv_multipart()
    time.sleep(0.2)
"""


class Reader(threading.Thread):
    """A fast subscriber in a thread of its own, as it would be in a process of its own."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._stop_asked = threading.Event()
        self.seqs: list[int] = []
        self.counters = SubscriberCounters()

    def run(self) -> None:
        with Subscriber(self._endpoint, "frame/cam1/", policy=EVERY) as subscriber:
            self.counters = subscriber.counters
            while not self._stop_asked.is_set():
                received = subscriber.recv(0.05)
                if received is not None:
                    self.seqs.append(received.origin.seq)

    def lost(self) -> int:
        """All that it did not get, wherever it was lost."""
        return self.counters.lost + self.counters.skipped

    def end(self) -> None:
        self._stop_asked.set()
        self.join()


@cache
def frames() -> list[Frame]:
    """A few pictures with noise in them."""
    noise = np.random.default_rng(1).integers(0, 255, (4, HEIGHT, WIDTH), np.uint8)
    return [
        frame_of_image(image, "mono8", camera="cam1", frame_number=0, captured_ns=0, mono_ns=0)
        for image in noise
    ]


def start_peers(ends: ExitStack, endpoint: str) -> None:
    for kind in ("sleep", "frozen"):
        process = subprocess.Popen([sys.executable, "-c", _PEER, kind, endpoint], stdout=subprocess.PIPE)
        assert process.stdout is not None
        ends.callback(process.stdout.close)
        ends.callback(process.wait)
        ends.callback(process.kill)
        assert process.stdout.readline() == b"ready\n"


def send_at(publisher: Publisher, rate_hz: float, count: int) -> None:
    """Send `count` frames in step with the clock."""
    pictures = frames()
    begin_s = time.monotonic()
    for number in range(count):
        publisher.send(CAM, pictures[number % len(pictures)])
        time.sleep(max(0.0, begin_s + (number + 1) / rate_hz - time.monotonic()))


def rss(pid: int | None = None) -> int:
    return psutil.Process(pid).memory_info().rss


@pytest.mark.parametrize("way", ["direct", "through the broker"])
def test_a_slow_and_a_frozen_subscriber_cost_the_others_nothing(way, start_broker, wait_until):
    broker = start_broker()
    direct = way == "direct"
    with ExitStack() as ends:
        publisher = ends.enter_context(
            Publisher(
                "n1",
                link=FRAMES_OUT,
                bind=["tcp://127.0.0.1:0"] if direct else [],
                connect=[] if direct else [broker.publish],
            )
        )
        endpoint = publisher.endpoints[0] if direct else broker.subscribe
        start_peers(ends, endpoint)
        reader = Reader(endpoint)
        reader.start()
        ends.callback(reader.end)
        wait_until(lambda: publisher.wants(CAM))
        wait_until(lambda: publisher.send(CAM, frames()[0]) and reader.seqs)
        # What the first seconds need is no growth: buffers of the kernel and of allocators.
        send_at(publisher, 100, 50)
        before = (rss(), rss(broker.process.pid))
        sent = publisher.counters.sent
        for rate_hz in (30, 100):
            assert loses_nothing(publisher, reader, rate_hz, wait_until)
        assert publisher.counters.sent == reader.seqs[-1] + 1 > sent
        assert publisher.counters.dropped == 0
        growth = [now - then for now, then in zip((rss(), rss(broker.process.pid)), before, strict=True)]
        assert max(growth) <= GROWTH_MAX_BYTES, growth


def loses_nothing(publisher: Publisher, reader: Reader, rate_hz: int, wait_until) -> bool:
    """True where some second passes in which the fast one gets every frame.

    Why some: on a busy machine the kernel may hold any thread back for longer than four frames last. What the
    slow ones did to the fast one they would do all the time.
    """
    for _ in range(WINDOWS_MAX):
        lost = reader.lost()
        send_at(publisher, rate_hz, rate_hz)
        wait_until(lambda: publisher.send(CAM, frames()[0]) and catches_up(publisher, reader))
        if reader.lost() == lost:
            return True
    return False


def catches_up(publisher: Publisher, reader: Reader) -> bool:
    deadline_s = time.monotonic() + 1
    while reader.seqs[-1] + 1 < publisher.counters.sent and time.monotonic() < deadline_s:
        time.sleep(0.002)
    return reader.seqs[-1] + 1 == publisher.counters.sent


def test_a_subscriber_that_is_killed_costs_the_others_nothing(broker, wait_until):
    with Publisher("n1", link=FRAMES_OUT, connect=[broker.publish]) as publisher:
        reader = Reader(broker.subscribe)
        reader.start()
        try:
            wait_until(lambda: publisher.wants(CAM))
            wait_until(lambda: publisher.send(CAM, frames()[0]) and reader.seqs)
            for _ in range(3):
                with ExitStack() as ends:
                    start_peers(ends, broker.subscribe)
                    send_at(publisher, 60, 20)
                assert loses_nothing(publisher, reader, 60, wait_until)
        finally:
            reader.end()


def test_a_subscriber_with_no_limit_of_its_own_is_bounded_here(wait_until):
    """In one process, so that what libzmq holds for it would be seen: a SUB that never reads."""
    with (
        Publisher("n1", link=FRAMES_OUT, bind=["tcp://127.0.0.1:0"]) as publisher,
        zmq.Context() as context,
        context.socket(zmq.SUB) as frozen,
    ):
        frozen.setsockopt(zmq.RCVHWM, 1)
        frozen.setsockopt(zmq.LINGER, 0)
        frozen.subscribe("frame/")
        frozen.connect(publisher.endpoints[0])
        wait_until(lambda: publisher.wants(CAM))
        for _ in range(50):
            publisher.send(CAM, frames()[0])
        before = rss()
        for _ in range(300):
            publisher.send(CAM, frames()[0])
        assert rss() - before <= GROWTH_MAX_BYTES
        assert publisher.counters.sent == 350


# Why so long a sleep: a heartbeat that is not read for 1.5 s made libzmq end the process.
_SLEEPER = """
import sys, time
from zbus.transport import Subscriber
with Subscriber(sys.argv[1], "frame/", policy="every") as subscriber:
    for _ in range(3):
        assert subscriber.recv(20.0) is not None
        time.sleep(3.0)
"""


def test_a_subscriber_that_sleeps_for_seconds_lives(wait_until):
    def publish_until_it_ends() -> bool:
        publisher.send(CAM, frames()[0])
        time.sleep(0.02)
        return sleeper.poll() is not None

    with Publisher("n1", link=FRAMES_OUT, bind=["tcp://127.0.0.1:0"]) as publisher:
        sleeper = subprocess.Popen([sys.executable, "-c", _SLEEPER, publisher.endpoints[0]])
        try:
            wait_until(publish_until_it_ends, 60)
            assert sleeper.returncode == 0
        finally:
            sleeper.kill()
            sleeper.wait()
