"""Zenoh with its shared memory. Its Python objects show no view of that memory, so both sides copy."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import zenoh
from harness.job import MARKERS, Got, Job, Sender, make_images, now_ns

KEY = "frame/cam1"
HEAD = struct.Struct("<qq")
SLOTS = 8


@contextmanager
def publisher(job: Job, **_: Any) -> Iterator[Sender]:
    """Number and stamp stand before the pixels."""
    images = make_images(job.shape)
    size = HEAD.size + job.nbytes
    provider = zenoh.shm.ShmProvider.default_backend(SLOTS * size + 2**20)
    policy = zenoh.shm.BlockOn(zenoh.shm.GarbageCollect())
    endpoint = f"tcp/127.0.0.1:{job.port}"
    with zenoh.open(config_of(listen=endpoint)) as session:
        outlet = session.declare_publisher(KEY, congestion_control=zenoh.CongestionControl.DROP)

        def send(number: int) -> None:
            stamp_ns = now_ns()
            buffer = provider.alloc(size, policy)
            buffer[0 : HEAD.size] = HEAD.pack(number, stamp_ns)
            buffer[HEAD.size : size] = images[number % MARKERS].tobytes()
            outlet.put(buffer)

        yield Sender(endpoint, send)


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """Zenoh's thread calls back and hands over."""
    shape = job.shape[:2] if job.shape[2] == 1 else job.shape
    came: SimpleQueue[Any] = SimpleQueue()
    with zenoh.open(config_of(connect=endpoint)) as session:
        session.declare_subscriber(KEY, came.put)

        def recv(timeout_s: float) -> Got | None:
            try:
                data = came.get(timeout=timeout_s).payload.to_bytes()
            except Empty:
                return None
            number, stamp_ns = HEAD.unpack_from(data)
            return Got(number, stamp_ns, np.frombuffer(data, np.uint8, offset=HEAD.size).reshape(shape))

        yield recv


def config_of(*, listen: str = "", connect: str = "") -> zenoh.Config:
    """One known address on loopback, nobody looked for, shared memory on."""
    config = zenoh.Config()
    config.insert_json5("mode", '"peer"')
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("listen/endpoints", f'["{listen}"]' if listen else "[]")
    config.insert_json5("connect/endpoints", f'["{connect}"]' if connect else "[]")
    config.insert_json5("transport/shared_memory/enabled", "true")
    return config
