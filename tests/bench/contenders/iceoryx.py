"""iceoryx2: publish and subscribe with a slice of bytes, and an event to wake the subscriber."""

from __future__ import annotations

import ctypes
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import iceoryx2 as iox2
import numpy as np
from harness.job import MARKERS, Got, Job, Sender, make_images, mark, now_ns

HEAD = struct.Struct("<qq")
# Why so much: pixels then begin at a page.
HEAD_BYTES = 4_096
BUFFERED, SUBSCRIBERS_MAX = 8, 16


@contextmanager
def publisher(job: Job, *, loan: bool) -> Iterator[Sender]:
    """With `loan` the producer draws into the loaned memory, else its picture is copied there."""
    images = [] if loan else make_images(job.shape)
    size = HEAD_BYTES + job.nbytes
    node, name = make_node(job.folder)
    data, event = make_services(node, name)
    outlet = data.publisher_builder().initial_max_slice_len(size).create()
    bell = event.notifier_builder().create()

    def send(number: int) -> None:
        if loan:
            sample = outlet.loan_slice_uninit(size)
            memory = sample.payload().as_memory_view()
            mark(pixels_of(memory, job), number)
            stamp_ns = now_ns()
        else:
            stamp_ns = now_ns()
            sample = outlet.loan_slice_uninit(size)
            memory = sample.payload().as_memory_view()
            np.copyto(pixels_of(memory, job), images[number % MARKERS])
        HEAD.pack_into(memory.cast("B"), 0, number, stamp_ns)
        sample.assume_init().send()
        bell.notify()

    yield Sender(job.folder, send)


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """The picture is a view; its memory is given back when the next one is asked for."""
    node, name = make_node(endpoint)
    data, event = make_services(node, name)
    inlet = data.subscriber_builder().create()
    bell = event.listener_builder().create()
    held: deque[Any] = deque(maxlen=1)

    def recv(timeout_s: float) -> Got | None:
        held.clear()
        sample = inlet.receive()
        if sample is None:
            bell.timed_wait(iox2.Duration.from_millis(int(timeout_s * 1000)))
            sample = inlet.receive()
        if sample is None:
            return None
        held.append(sample)
        memory = sample.payload().as_memory_view()
        number, stamp_ns = HEAD.unpack_from(memory.cast("B"), 0)
        return Got(number, stamp_ns, pixels_of(memory, job))

    yield recv


def make_node(folder: str) -> tuple[Any, str]:
    """A node, and the name of the service of this round."""
    iox2.set_log_level(iox2.LogLevel.Fatal)
    return iox2.NodeBuilder.new().create(iox2.ServiceType.Ipc), f"zbus-bench/{Path(folder).name}"


def make_services(node: Any, name: str) -> tuple[Any, Any]:
    """The service for the pictures, and the one that wakes."""
    service = iox2.ServiceName.new(name)
    pictures = node.service_builder(service).publish_subscribe(iox2.Slice[ctypes.c_uint8])
    pictures = pictures.subscriber_max_buffer_size(BUFFERED).max_subscribers(SUBSCRIBERS_MAX)
    pictures = pictures.enable_safe_overflow(True).open_or_create()
    return pictures, node.service_builder(service).event().open_or_create()


def pixels_of(memory: memoryview, job: Job) -> Any:
    """The pixels behind the head."""
    shape = job.shape[:2] if job.shape[2] == 1 else job.shape
    return np.frombuffer(memory, np.uint8, job.nbytes, HEAD_BYTES).reshape(shape)
