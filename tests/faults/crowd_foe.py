"""A program: somebody who misbehaves at a camera and its broker until its input ends.

    python crowd_foe.py KIND PUBLISH ENDPOINT ...

`deaf` subscribes and never reads; `sleepy` is a subscriber as it should be, for the test to freeze; `flood`
connects, subscribes, goes, and publishes, without end; `garbage` sends bytes of no meaning. The last two tell
at the end how often they did.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import select
import socket
import sys
import threading

import zmq
from strangers import GREETING, open_raw, stranger

from zbus.transport import EVERY, Subscriber

# Together: no test runs on them for long, and nothing may be left behind by the thousand.
CHURN_PREFIXES = 50
FLOOD_BATCH = 500
GARBAGE_BYTES = 5_000
NICE = 10


def deaf(ends: list[str]) -> None:
    with contextlib.ExitStack() as opened:
        for end in ends:
            peer = opened.enter_context(stranger(zmq.SUB, end))
            peer.subscribe(b"")
        wait_for_end()


def sleepy(ends: list[str]) -> None:
    with Subscriber(ends, "frame/", policy=EVERY) as subscriber:
        subscriber.recv(20.0)
        print("ready", flush=True)
        while True:
            subscriber.recv()


def flood(ends: list[str]) -> None:
    publish, *subscribe = ends
    threading.Thread(target=flood_publisher, args=(publish,), daemon=True).start()
    for turn in itertools.count():
        if is_over():
            print(turn, flush=True)
            return
        with stranger(zmq.SUB, subscribe[turn % len(subscribe)]) as peer:
            for number in range(CHURN_PREFIXES):
                peer.subscribe(b"frame/churn%d-%d/" % (turn, number))
                peer.unsubscribe(b"frame/churn%d-%d/" % (turn, number - 1))
            peer.poll(1)


def flood_publisher(publish: str) -> None:
    """Messages of every kind under any name, wanted or not, as fast as the broker takes them."""
    kinds = [b"frame/flood/", b"state/flood/", b"event/flood/", b"tracks/flood/", b"no topic"]
    with stranger(zmq.XPUB, publish) as peer:
        while True:
            for number in range(FLOOD_BATCH):
                peer.send_multipart([kinds[number % len(kinds)], b"\x80", bytes(1_000)])


def garbage(ends: list[str]) -> None:
    chance = random.Random(7)
    turns = 0
    for end in itertools.cycle(ends):
        if is_over():
            print(turns, flush=True)
            return
        # Why outside, too: a port whose queue of connections is full takes no more, and that is fine.
        with contextlib.suppress(OSError), open_raw(end) as peer:
            start = chance.choice([b"", b"\xff", GREETING, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"])
            peer.sendall(start + chance.randbytes(chance.randint(1, GARBAGE_BYTES)))
            peer.shutdown(socket.SHUT_WR)
            turns += 1


def is_over() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def wait_for_end() -> None:
    sys.stdin.read()


KINDS = {"deaf": deaf, "sleepy": sleepy, "flood": flood, "garbage": garbage}

if __name__ == "__main__":
    # Why: what they do to the bus is tested, not that they take this machine's two processors.
    os.nice(NICE)
    KINDS[sys.argv[1]](sys.argv[2:])
