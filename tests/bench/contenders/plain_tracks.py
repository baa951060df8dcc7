"""The same tracks by pyzmq and msgpack alone: the same keys, arrays in and arrays out, nothing checked.

With `forwarded` through zmq.proxy in a process of its own. With `bare` the map alone is packed and unpacked:
lists in, lists out.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgpack
import numpy as np
import zmq
from harness.job import Got, Job, Sender, now_ns

from contenders.tracks import make_tracks

TOPIC = b"tracks/tracker1/"
COLUMNS = ("track_ids", "centroids_px", "boxes_xyxy_px", "scores", "class_ids")


@contextmanager
def publisher(
    job: Job, *, over: str = "tcp", forwarded: bool = False, bare: bool = False
) -> Iterator[Sender]:
    """A PUB socket with ZeroMQ's own marks."""
    tracks = make_tracks()
    ready = {key: getattr(tracks, key).tolist() for key in COLUMNS}
    with ExitStack() as undo:
        context = undo.enter_context(zmq.Context())
        socket = undo.enter_context(context.socket(zmq.PUB))
        socket.linger = 0
        if forwarded:
            far, endpoint = undo.enter_context(proxying(job, over))
            socket.connect(far)
        else:
            socket.bind(f"ipc://{job.folder}/plain" if over == "ipc" else "tcp://127.0.0.1:*")
            endpoint = socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

        def send(number: int) -> None:
            stamp_ns = now_ns()
            columns = ready if bare else {key: getattr(tracks, key).tolist() for key in COLUMNS}
            header = {
                "v": 1,
                "node": "tracker1",
                "session": "9f86d0818f86d081",
                "seq": number,
                "published_ns": time.time_ns(),
                "camera": "cam1",
                "frame_number": number,
                "captured_ns": stamp_ns,
                "mono_ns": stamp_ns,
                "states": tracks.states,
                **columns,
            }
            socket.send_multipart([TOPIC, msgpack.packb(header, use_single_float=True)])

        yield Sender(endpoint, send)


@contextmanager
def proxying(job: Job, over: str) -> Iterator[tuple[str, str]]:
    """zmq.proxy between XSUB and XPUB; gives its two endpoints."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    wanted = [
        f"ipc://{job.folder}/{side}" if over == "ipc" else "tcp://127.0.0.1:*" for side in ("in", "out")
    ]
    process = context.Process(target=run_proxy, args=(wanted, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()
        here.close()


def run_proxy(wanted: list[str], pipe: Any) -> None:
    """Until it is killed: zmq.proxy knows no other end."""
    context = zmq.Context()
    sides = [context.socket(zmq.XSUB), context.socket(zmq.XPUB)]
    for side, endpoint in zip(sides, wanted, strict=True):
        side.bind(endpoint)
    pipe.send([side.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode() for side in sides])
    zmq.proxy(*sides)


@contextmanager
def subscriber(
    job: Job, endpoint: str, *, bare: bool = False, **_: Any
) -> Iterator[Callable[[float], Got | None]]:
    """A SUB socket with ZeroMQ's own marks."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.subscribe(TOPIC)
        socket.connect(endpoint)

        def recv(timeout_s: float) -> Got | None:
            if not socket.poll(int(timeout_s * 1000)):
                return None
            header = msgpack.unpackb(socket.recv_multipart()[1])
            if not bare:
                for key in COLUMNS:
                    header[key] = np.array(header[key])
            return Got(header["frame_number"], header["mono_ns"], None)

        yield recv
