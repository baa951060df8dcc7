"""What a careful script does with pyzmq and msgpack alone: [topic, header, pixels], nothing copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgpack
import numpy as np
import zmq
from harness.job import MARKERS, Got, Job, Sender, make_images, now_ns

TOPIC = b"frame/cam1/"
# The queues of zbus's own frame links, so that the same number of pictures may wait.
SEND_QUEUE, RECEIVE_QUEUE = 8, 4
# Why longer flat out: there the window is the bound, and libzmq takes a short queue for full before it is.
FLAT_OUT_QUEUE = 64


@contextmanager
def publisher(job: Job, *, over: str = "tcp", curve: bool = False, **_: Any) -> Iterator[Sender]:
    """`over` is tcp or ipc; with `curve` everything is encrypted."""
    images = make_images(job.shape)
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 0
        socket.sndhwm = SEND_QUEUE if job.rate_hz else FLAT_OUT_QUEUE
        public = serve_curve(socket) if curve else b""
        socket.bind("tcp://127.0.0.1:*" if over == "tcp" else f"ipc://{job.folder}/plain")
        endpoint = socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

        def send(number: int) -> None:
            image = images[number % MARKERS]
            header = {"number": number, "stamp": now_ns(), "shape": image.shape, "dtype": "uint8"}
            socket.send_multipart([TOPIC, msgpack.packb(header), image.data], copy=False)

        yield Sender(f"{endpoint} {public.decode()}".strip(), send)


@contextmanager
def subscriber(
    job: Job, endpoint: str, *, curve: bool = False, queue: int = RECEIVE_QUEUE, **_: Any
) -> Iterator[Callable[[float], Got | None]]:
    """`queue` is the receive mark; 1 000 is what one gets who sets none."""
    address, _, public = endpoint.partition(" ")
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.rcvhwm = queue if job.rate_hz else FLAT_OUT_QUEUE
        if curve:
            ask_curve(socket, public.encode())
        socket.subscribe(TOPIC)
        socket.connect(address)

        def recv(timeout_s: float) -> Got | None:
            if not socket.poll(int(timeout_s * 1000)):
                return None
            _, header, pixels = socket.recv_multipart(copy=False)
            fields = msgpack.unpackb(header.bytes)
            image = np.frombuffer(pixels.buffer, fields["dtype"]).reshape(fields["shape"])
            return Got(fields["number"], fields["stamp"], image)

        yield recv


def serve_curve(socket: zmq.Socket[bytes]) -> bytes:
    """Make a publisher speak CURVE alone; returns its public key."""
    public, secret = zmq.curve_keypair()
    socket.curve_server = 1
    socket.curve_secretkey = secret
    return public


def ask_curve(socket: zmq.Socket[bytes], server: bytes) -> None:
    """Make a subscriber speak CURVE with the publisher of that key."""
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_serverkey = server
