"""Tracks of some animals by zbus's own publisher and subscriber, over one hop or through the forwarder."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from harness.job import Got, Job, Sender, now_ns

from contenders.tracks import make_tracks
from zbus.transport import SMALL_OUT, Publisher, Reactor, Subscriber
from zbus.wire import Topic, TracksMessage

TOPIC = Topic("tracks", "tracker1")


@contextmanager
def publisher(job: Job, *, over: str = "tcp", forwarded: bool = False) -> Iterator[Sender]:
    """With `forwarded` a forwarder runs beside, in a thread of its own with nothing else to do."""
    tracks = make_tracks()
    with ExitStack() as undo:
        own = [f"ipc://{job.folder}/tracks" if over == "ipc" else "tcp://127.0.0.1:0"]
        ends = undo.enter_context(forwarding(job, over)) if forwarded else None
        where: dict[str, Any] = {"connect": [ends[0]]} if ends else {"bind": own}
        made = undo.enter_context(Publisher("tracker1", link=SMALL_OUT, **where))

        def send(number: int) -> None:
            stamp_ns = now_ns()
            made.send(TOPIC, TracksMessage("cam1", number, stamp_ns, stamp_ns, tracks))

        yield Sender(ends[1] if ends else made.endpoints[0], send)


@contextmanager
def forwarding(job: Job, over: str) -> Iterator[tuple[str, str]]:
    """The forwarder of the broker, in a process of its own; gives its two endpoints."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    wanted = [
        f"ipc://{job.folder}/{side}" if over == "ipc" else "tcp://127.0.0.1:0" for side in ("in", "out")
    ]
    process = context.Process(target=run_forwarder, args=(wanted, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        here.close()
        process.join(5.0)


def run_forwarder(wanted: list[str], pipe: Any) -> None:
    """Forward until the other end of the pipe is closed."""
    from zbus_brokers import Forwarder

    with Reactor() as reactor, Forwarder(wanted[0], wanted[1], reactor) as forwarder:
        pipe.send((forwarder.publish_endpoint, forwarder.subscribe_endpoint))
        reactor.watch(pipe.fileno(), reactor.stop)
        reactor.run()


@contextmanager
def subscriber(job: Job, endpoint: str, **_: Any) -> Iterator[Callable[[float], Got | None]]:
    """Policy `every`: what is lost is counted."""
    with Subscriber(endpoint, str(TOPIC), policy="every") as made:

        def recv(timeout_s: float) -> Got | None:
            received = made.recv(timeout_s)
            if received is None:
                return None
            body = received.body
            assert isinstance(body, TracksMessage)
            return Got(body.frame_number, body.mono_ns, None)

        yield recv
