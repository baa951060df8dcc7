"""Connections by the thousand, subscriptions without end, a flood at the door: the honest go on.

The rows of the threat table are in README.md; each test names its own.
"""

from __future__ import annotations

import json
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest
import zmq
from honest import CAM, Honest, picture, wait_for_counters
from rig_process import ZbusProcess, runtime_folder
from strangers import GREETING, open_raw, raw, stranger

from zbus.cli._demo_rig import choose_ports
from zbus.config import BrokerPlan, OverlayPlan, Rig
from zbus.transport import EVERY, FRAMES_OUT, Publisher, Pusher, Subscriber

pytestmark = pytest.mark.fault

MB = 1_000_000
HALF_OPEN = 1_000
SUBSCRIPTIONS = 30_000
FLOODERS = 100
DRAWINGS, DRAWING_PERIOD_S, SHOWN_SHARE = 40, 0.05, 0.8
FEW_FILES = 128


def fds(broker) -> int:
    return psutil.Process(broker.process.pid).num_fds()


def rss(broker) -> int:
    return psutil.Process(broker.process.pid).memory_info().rss


def test_s5_many_subscriptions_at_the_forwarder(exposed, honest):
    with stranger(zmq.SUB, exposed.subscribe) as peer:
        peer.setsockopt(zmq.SNDHWM, 0)
        for number in range(SUBSCRIPTIONS):
            peer.subscribe(b"frame/x%d/" % number)
        counters = wait_for_counters(exposed, lambda now: now["refused"] > 10_000)
        assert counters["subscriptions"] == 16_384
    wait_for_counters(exposed, lambda now: now["subscriptions"] < 20)


def test_s5_long_prefixes_at_the_forwarder(exposed, honest):
    """One that no topic could match is not kept, and one past the limit ends its connection."""
    before = rss(exposed)
    with stranger(zmq.XSUB, exposed.subscribe) as peer:
        for number in range(500):
            peer.send(b"\1" + b"%d" % number + b"x" * 4_000)
        wait_for_counters(exposed, lambda now: now["refused"] >= 500)
    # By bytes: libzmq's own sockets end their process over one that they are to remember.
    with raw(exposed.subscribe, b"SUB") as peer, suppress(OSError):
        peer.sendall(b"\x02" + struct.pack(">Q", 16 * MB) + b"\1" + bytes(16 * MB - 1))
    wait_for_counters(exposed, lambda now: now["subscribers_disconnected"] > 0)
    assert rss(exposed) - before < 100 * MB


def test_s5_many_and_long_subscriptions_at_a_camera(wait_until):
    """At its own socket, as any process of the same user can reach it."""
    with Publisher("n1", link=FRAMES_OUT, bind=["tcp://127.0.0.1:0"]) as camera:
        with (
            Subscriber(camera.endpoints[0], "frame/cam1/", policy=EVERY) as honest,
            stranger(zmq.XSUB, camera.endpoints[0]) as peer,
        ):
            wait_until(lambda: camera.wants(CAM))
            for number in range(SUBSCRIPTIONS):
                with suppress(zmq.Again):
                    peer.send(b"\1frame/x%d/" % number)
            peer.send(b"\1" + b"x" * 100_000)
            for number in range(20):
                camera.send(CAM, picture(number))
                received = honest.recv(10)
                assert received is not None
                assert received.body.frame_number == number
        # What the peer wanted, and all who were connected, are gone with their connections.
        wait_until(lambda: not camera.wants(CAM))


def test_s7_half_open_connections_are_shed(exposed, honest, wait_until):
    """They say nothing, or half a greeting; the broker waits for the rest for two seconds."""
    before = fds(exposed)
    with ExitStack() as opened:
        idle = []
        for number in range(HALF_OPEN):
            peer = opened.enter_context(open_raw(exposed.places[number % 3]))
            peer.sendall(GREETING[: number % 40])
            idle.append(peer)
        wait_until(lambda: fds(exposed) > before + HALF_OPEN / 2)
        wait_until(lambda: fds(exposed) < before + 20)
        assert all(map(was_closed, idle))


def was_closed(peer: socket.socket) -> bool:
    """True once the other side has ended the connection; fails at the socket's timeout."""
    with suppress(ConnectionError):
        while peer.recv(4_096):
            pass
    return True


def test_s7_connections_that_come_and_go(exposed, honest, wait_until):
    before = fds(exposed)
    for endpoint in exposed.places * 500:
        with open_raw(endpoint) as peer:
            peer.sendall(GREETING)
    wait_for_counters(exposed, lambda now: now["control_disconnected"] >= 100)
    wait_until(lambda: fds(exposed) < before + 20)


def test_s7_subscribers_that_come_and_go(exposed, honest, wait_until):
    before = fds(exposed)
    for number in range(500):
        with stranger(zmq.SUB, exposed.subscribe) as peer:
            peer.subscribe(b"frame/cam1/" if number % 2 else b"state/")
            peer.poll(1)
    wait_until(lambda: fds(exposed) < before + 20)


def test_s7_out_of_files_the_honest_go_on_and_others_join_afterwards(start_broker, wait_until):
    """The limit is the broker's own; who is connected stays so, and room that comes back is used."""
    broker = start_broker()
    with Honest(broker) as honest, ExitStack() as opened:
        wait_until(lambda: honest.heard > 5)
        pid = broker.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))
        with ExitStack() as many:
            for endpoint in broker.places * FEW_FILES:
                with suppress(OSError):
                    many.enter_context(raw_quickly(endpoint))
            wait_until(lambda: fds(broker) >= FEW_FILES - 1)
            heard = honest.heard
            wait_until(lambda: honest.heard > heard + 25)
        joining = opened.enter_context(Subscriber(broker.subscribe, "frame/cam1/", policy=EVERY))
        assert joining.recv(20) is not None
    assert (honest.counters.gaps, honest.counters.restarts) == (0, 0)


def raw_quickly(endpoint: str) -> socket.socket:
    """A connection that asks for nothing: beyond the limit nobody answers."""
    peer = open_raw(endpoint)
    peer.sendall(GREETING)
    return peer


def test_a_flood_at_the_publish_port(exposed, honest):
    """Messages that nobody wants, as fast as they go: an XPUB asks nobody what is wanted."""
    with raw(exposed.publish, b"PUB") as peer:
        message = b"\x01\x0bframe/liar/" + b"\x00\x01x"
        peer.sendall(message * 20_000)
        wait_for_counters(exposed, lambda now: now["forwarded"] >= 20_000)


@contextmanager
def door() -> Iterator[tuple[str, str]]:
    """A real overlay node and its broker: the door, and where its drawings are heard."""
    with runtime_folder() as folder:
        rig = choose_ports(Rig("door", broker=BrokerPlan(), overlay=OverlayPlan()))
        broker, plan = rig.broker, rig.overlay
        assert plan is not None
        places = ["--directory", broker.directory, "--publish", broker.publish]
        places += ["--subscribe", broker.subscribe]
        with (
            ZbusProcess("broker", *places, folder=folder),
            ZbusProcess("overlay", "--bind", plan.bind, *places, folder=folder),
        ):
            yield plan.bind, broker.subscribe


# Each turn: a drawing of one id, one that is none, and one without an id over a camera of its own.
_FLOOD = """
import json, sys, time, zmq
context = zmq.Context()
peers = []
for _ in range(int(sys.argv[2])):
    peer = context.socket(zmq.PUSH)
    peer.setsockopt(zmq.SNDTIMEO, 1000)
    peer.connect(sys.argv[1])
    peers.append(peer)
box = {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}
words = [
    json.dumps({"DRAW_BOX": box, "camera": "cam1", "id": "flood"}).encode(),
    b"no drawing",
    json.dumps({"DRAW_BOX": box, "camera": "other"}).encode(),
]
peers[0].send(words[0])
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    for peer in peers:
        try:
            peer.send(words[turn % 3], zmq.NOBLOCK)
        except zmq.Again:
            pass
"""


@pytest.mark.parametrize("connections", [1, FLOODERS])
def test_s8_a_flood_at_the_door_leaves_room_for_the_honest(connections, wait_until):
    with (
        door() as (endpoint, subscribe),
        Pusher(endpoint) as honest,
        Subscriber(subscribe, "overlay/cam1/", policy=EVERY) as watching,
        subprocess.Popen(
            [sys.executable, "-c", _FLOOD, endpoint, str(connections)], stdout=subprocess.PIPE
        ) as flood,
    ):
        try:
            assert flood.stdout is not None
            assert flood.stdout.readline() == b"ready\n"
            wait_until(lambda: shown_ids(watching) & {"flood"})
            wait_until(lambda: draw(honest, 0) and shown_ids(watching) & {"honest-0"})
            shown = draw_and_watch(honest, watching)
            assert len(shown) >= DRAWINGS * SHOWN_SHARE, sorted(shown)
            assert flood.poll() is None
        finally:
            flood.kill()


def draw(honest: Pusher, number: int) -> bool:
    shape = {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}
    drawing = {"DRAW_BOX": shape, "camera": "cam1", "id": f"honest-{number}", "lifetime_s": 5.0}
    return honest.send(json.dumps(drawing).encode(), timeout_s=1.0)


def draw_and_watch(honest: Pusher, watching: Subscriber) -> set[str]:
    """The ids of the honest that were shown, of DRAWINGS drawn in step with the clock."""
    shown: set[str] = set()
    for number in range(DRAWINGS):
        draw(honest, number)
        shown |= shown_ids(watching, DRAWING_PERIOD_S)
    deadline_s = time.monotonic() + 5
    while len(shown) < DRAWINGS and time.monotonic() < deadline_s:
        shown |= shown_ids(watching, 0.1)
    return {each for each in shown if each.startswith("honest")}


def shown_ids(watching: Subscriber, timeout_s: float = 0.1) -> set[str]:
    received = watching.recv(timeout_s)
    return set() if received is None else {overlay.id for overlay in received.body.shapes}
