"""zbus as people use it: Publisher, Subscriber, Frame; inline over tcp or ipc, or through a ring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from harness.job import MARKERS, Got, Job, Sender, make_images, mark, now_ns

from zbus.transport import FRAMES_OUT, Publisher, Subscriber
from zbus.wire import Frame, Topic, frame_of_image

TOPIC = Topic("frame", "cam1")
RING_SLOTS = 16


@contextmanager
def publisher(job: Job, *, ring: str = "", curve: bool = False, **_: Any) -> Iterator[Sender]:
    """`ring` is "loan" (drawn straight into a slot), "copy" (copied into one), or "" for inline pixels."""
    with ExitStack() as undo:
        more: dict[str, Any] = {}
        if ring:
            from zbus.transport import RingPlan

            more["ring"] = RingPlan(seconds=RING_SLOTS / 100, max_bytes=RING_SLOTS * (job.nbytes + 2**20))
        inline = [] if curve else ["tcp://127.0.0.1:0"]
        endpoints = [f"ipc://{job.folder}/zbus"] if ring else inline
        made = undo.enter_context(Publisher("cam1", link=FRAMES_OUT, bind=endpoints, **more))
        endpoint = bind_locked(job, made, undo) if curve else made.endpoints[0]
        yield Sender(endpoint, sending(job, made, is_loan=ring == "loan"))


def bind_locked(job: Job, made: Publisher, undo: ExitStack) -> str:
    """Bind with CURVE and a list of allowed keys; the endpoint, and the file of a client's key."""
    from zbus.transport import VIEWER, KeysFolder, ServerLock, bind

    keys = KeysFolder(Path(job.folder) / "keys")
    keys.make_rig_key()
    file = keys.new_client("bench", VIEWER)
    lock = undo.enter_context(ServerLock(keys.folder))
    return f"{bind(made.socket, 'tcp://127.0.0.1:0', lock=lock)} {file}"


def sending(job: Job, made: Publisher, *, is_loan: bool) -> Callable[[int], None]:
    """What sends one picture; its `mono_ns` is the stamp."""
    pixel_format = "mono8" if job.shape[2] == 1 else "bgr8"
    shape = job.shape[:2] if job.shape[2] == 1 else job.shape
    images = make_images(job.shape)

    def frame_of(image: Any, number: int) -> Frame:
        stamp_ns = now_ns()
        return frame_of_image(
            image, pixel_format, camera="cam1", frame_number=number, captured_ns=stamp_ns, mono_ns=stamp_ns
        )

    def send_loan(number: int) -> None:
        slot = made.loan(TOPIC, shape, np.uint8)
        if slot is None:
            raise RuntimeError("there is no slot to be had")
        mark(slot, number)
        made.send(TOPIC, frame_of(slot, number))

    def send(number: int) -> None:
        made.send(TOPIC, frame_of(images[number % MARKERS], number))

    return send_loan if is_loan else send


@contextmanager
def subscriber(
    job: Job, endpoint: str, *, policy: str = "every", view: bool = False, ring: str = "", **_: Any
) -> Iterator[Callable[[float], Got | None]]:
    """Policy `every` counts all that is lost; a ring's frames are views or copies."""
    more: dict[str, Any] = {"ring": "view" if view else "copy"} if ring else {}
    endpoint, _, key_file = endpoint.partition(" ")
    if key_file:
        from zbus.transport import load_client_key

        more["key"] = load_client_key(key_file)
    with Subscriber(endpoint, str(TOPIC), policy=policy, **more) as made:

        def recv(timeout_s: float) -> Got | None:
            received = made.recv(timeout_s)
            if received is None:
                return None
            frame = received.body
            assert isinstance(frame, Frame)
            return Got(frame.frame_number, frame.mono_ns, frame.image, frame.valid if view else None)

        yield recv
