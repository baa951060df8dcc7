"""The bare prototype: a file of slots in shared memory, and a ZeroMQ notice for each. It checks nothing.

A slot is a counter, odd while its pixels are written, and the pixels. It is kept here as the mark that the
ring of the library is measured against.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import zmq
from harness.job import MARKERS, Got, Job, Sender, make_images, mark, now_ns

SLOTS = 16
PAGE = 4_096
COUNTER = struct.Struct("<Q")
SHARED = Path("/dev/shm")


@contextmanager
def publisher(job: Job, *, loan: bool) -> Iterator[Sender]:
    """With `loan` the producer draws into the slot itself, else its picture is copied there."""
    stride = slot_stride(job)
    images = [] if loan else make_images(job.shape)
    number_of, name = tempfile.mkstemp(prefix="zbus-bench.", dir=SHARED)
    try:
        os.posix_fallocate(number_of, 0, SLOTS * stride)
        memory = mmap.mmap(number_of, SLOTS * stride)
        with zmq.Context() as context, context.socket(zmq.PUB) as socket:
            socket.linger = 0
            socket.bind(f"ipc://{job.folder}/bare")

            def send(number: int) -> None:
                slot = number % SLOTS
                start = slot * stride
                COUNTER.pack_into(memory, start, 2 * number + 1)
                pixels = pixels_of(memory, start, job)
                if loan:
                    mark(pixels, number)
                    stamp = now_ns()
                else:
                    stamp = now_ns()
                    np.copyto(pixels, images[number % MARKERS])
                COUNTER.pack_into(memory, start, 2 * number + 2)
                notice = {"number": number, "stamp": stamp, "slot": slot}
                socket.send_multipart([b"frame", msgpack.packb(notice)])

            yield Sender(f"ipc://{job.folder}/bare {name}", send)
    finally:
        os.close(number_of)
        Path(name).unlink()


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """Pictures are views of the slots; whether one is still whole is asked after its use."""
    address, name = endpoint.split(" ")
    stride = slot_stride(job)
    with Path(name).open("rb") as file, zmq.Context() as context, context.socket(zmq.SUB) as socket:
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        socket.linger = 0
        socket.subscribe(b"frame")
        socket.connect(address)

        def recv(timeout_s: float) -> Got | None:
            if not socket.poll(int(timeout_s * 1000)):
                return None
            notice = msgpack.unpackb(socket.recv_multipart()[1])
            start, number = notice["slot"] * stride, notice["number"]

            def is_whole() -> bool:
                return COUNTER.unpack_from(memory, start)[0] == 2 * number + 2

            return Got(number, notice["stamp"], pixels_of(memory, start, job), is_whole)

        yield recv


def slot_stride(job: Job) -> int:
    """Bytes from slot to slot, whole pages."""
    return PAGE + -(-job.nbytes // PAGE) * PAGE


def pixels_of(memory: mmap.mmap, start: int, job: Job) -> Any:
    """The pixels of the slot that begins at `start`."""
    shape = job.shape[:2] if job.shape[2] == 1 else job.shape
    return np.frombuffer(memory, np.uint8, job.nbytes, start + PAGE).reshape(shape)
