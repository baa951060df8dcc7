"""imagezmq, PUB and SUB, as its own examples use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import imagezmq
from harness.job import MARKERS, Got, Job, Sender, make_images, now_ns


@contextmanager
def publisher(job: Job, **_: Any) -> Iterator[Sender]:
    """The message beside the picture carries number and stamp."""
    images = make_images(job.shape)
    address = f"tcp://127.0.0.1:{job.port}"
    with imagezmq.ImageSender(connect_to=address, REQ_REP=False) as sender:
        sender.zmq_socket.linger = 0

        def send(number: int) -> None:
            sender.send_image(f"{number} {now_ns()}", images[number % MARKERS])

        yield Sender(address, send)


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """`recv_image` has no timeout of its own, so its socket is asked first."""
    with imagezmq.ImageHub(open_port=endpoint, REQ_REP=False) as hub:
        hub.zmq_socket.linger = 0

        def recv(timeout_s: float) -> Got | None:
            if not hub.zmq_socket.poll(int(timeout_s * 1000)):
                return None
            message, image = hub.recv_image()
            number, stamp_ns = message.split(" ")
            return Got(int(number), int(stamp_ns), image)

        yield recv
