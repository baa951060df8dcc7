"""vidgear's NetGear without compression, PUB and SUB. It drops in silence what it does not keep up with.

Its `close` closes a socket that its own thread still uses, so that libzmq ends the process with an assertion
on stderr. That comes after the round, and costs it nothing.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from harness.job import MARKERS, Got, Job, Sender, make_images, now_ns
from vidgear.gears import NetGear

PUBLISH_SUBSCRIBE = 2
HEAD = struct.Struct("<qq")


@contextmanager
def publisher(job: Job, **_: Any) -> Iterator[Sender]:
    """NetGear's sender connects, and its receiver binds."""
    images = make_images(job.shape)
    gear = open_gear(job, receive_mode=False)

    def send(number: int) -> None:
        image = images[number % MARKERS]
        # Why in the picture: without its two-way mode NetGear hands over no message beside it.
        HEAD.pack_into(memoryview(image).cast("B"), job.shape[2], number, now_ns())
        gear.send(image)

    try:
        yield Sender(f"{job.port}", send)
    finally:
        gear.close()


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """Its own thread receives; `recv` waits for it."""
    gear = open_gear(job, receive_mode=True)

    def recv(timeout_s: float) -> Got | None:
        image = gear.recv()
        if image is None:
            return None
        number, stamp_ns = HEAD.unpack_from(memoryview(image).cast("B"), job.shape[2])
        return Got(number, stamp_ns, image)

    try:
        yield recv
    finally:
        gear.close()


def open_gear(job: Job, *, receive_mode: bool) -> NetGear:
    """Without its logging, JPEG and authentication."""
    logging.disable(logging.CRITICAL)
    return NetGear(
        address="127.0.0.1",
        port=str(job.port),
        protocol="tcp",
        pattern=PUBLISH_SUBSCRIBE,
        receive_mode=receive_mode,
        jpeg_compression=False,
    )
