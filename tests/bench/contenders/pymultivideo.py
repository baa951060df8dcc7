"""The two forms in which pyMultiVideo sends pictures: JSON with base64, and three parts with msgpack."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgpack
import numpy as np
import zmq
from harness.job import MARKERS, Got, Job, Sender, make_images, now_ns


@contextmanager
def publisher(job: Job, *, form: str) -> Iterator[Sender]:
    """`form` is json or msgpack; queues as long as ZeroMQ makes them."""
    images = make_images(job.shape)
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 0
        port = socket.bind_to_random_port("tcp://127.0.0.1")

        def fields_of(number: int) -> dict[str, Any]:
            height, width, _ = job.shape
            return {"unique_id": f"{number}-bench", "timestamp": now_ns(), "height": height, "width": width}

        def send_json(number: int) -> None:
            fields = fields_of(number)
            fields["image"] = base64.b64encode(images[number % MARKERS].tobytes()).decode()
            socket.send_string(json.dumps(fields))

        def send_parts(number: int) -> None:
            fields = fields_of(number)
            socket.send_multipart([b"image", msgpack.packb(fields), images[number % MARKERS].tobytes()])

        yield Sender(f"tcp://127.0.0.1:{port}", send_json if form == "json" else send_parts)


@contextmanager
def subscriber(job: Job, endpoint: str, *, form: str) -> Iterator[Callable[[float], Got | None]]:
    """As its example clients read."""
    shape = job.shape[:2] if job.shape[2] == 1 else job.shape
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.subscribe(b"")
        socket.connect(endpoint)

        def recv(timeout_s: float) -> Got | None:
            if not socket.poll(int(timeout_s * 1000)):
                return None
            if form == "json":
                fields = json.loads(socket.recv_string())
                pixels = base64.b64decode(fields["image"])
            else:
                _, header, pixels = socket.recv_multipart()
                fields = msgpack.unpackb(header)
            number = int(fields["unique_id"].partition("-")[0])
            return Got(number, fields["timestamp"], np.frombuffer(pixels, np.uint8).reshape(shape))

        yield recv
