"""Rounds: both sides started, waited for, and ended; contenders taking turns."""

from __future__ import annotations

import multiprocessing
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from harness.job import Contender, Job
from harness.sides import make_counters, publisher_side, subscriber_side
from harness.summary import Round

# Why not fork: the sockets and threads of libraries do not survive it. The server has the imports ready.
CONTEXT = multiprocessing.get_context("forkserver")
PRELOAD = ["numpy", "msgpack", "zmq", "zbus.transport", "zbus.wire", "harness.sides"]
OPEN_S, ROUND_S = 30.0, 60.0


class Absent(Exception):
    """The contender is not installed, or does not run here."""


class Failed(Exception):
    """The round came to nothing."""


def prepare() -> None:
    """Make the process from which the sides are started. Before the first round."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    CONTEXT.set_forkserver_preload(PRELOAD)


def run_round(contender: Contender, job: Job) -> Round:
    """One round in processes of its own. Raises Absent, Failed."""
    with ExitStack() as undo:
        folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="zbus-bench-"))
        job = replace(job, folder=folder, port=free_port())
        counters = make_counters(job.subscribers)
        publisher = Side(undo, publisher_side, contender, job, counters)
        wait_for({publisher: "open"}, OPEN_S)
        endpoint = publisher.told["open"]
        subscribers = [
            Side(undo, subscriber_side, contender, job, endpoint, place, counters)
            for place in range(job.subscribers)
        ]
        wait_for({publisher: "sent", **dict.fromkeys(subscribers, "got")}, ROUND_S + job.seconds)
        publisher.pipe.send("end")
        return Round(publisher.told["sent"], [subscriber.told["got"] for subscriber in subscribers])


class Side:
    """A process that takes one side, and the pipe on which it tells what became of it."""

    def __init__(self, undo: ExitStack, target: Callable[..., None], *args: Any) -> None:
        self.pipe, far_end = CONTEXT.Pipe()
        self.told: dict[str, Any] = {}
        self.process = CONTEXT.Process(target=target, args=(*args, far_end))
        self.process.start()
        far_end.close()
        undo.callback(self.end)

    def read(self) -> None:
        """Take in one thing that it tells. Raises Absent, Failed."""
        try:
            name, value = self.pipe.recv()
        except EOFError:
            raise Failed("a process ended without a word") from None
        if name == "absent":
            raise Absent(value)
        if name == "failed":
            raise Failed(value)
        self.told[name] = value

    def end(self) -> None:
        """Wait for the process, not for long."""
        self.process.join(2.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()


def wait_for(wanted: Mapping[Side, str], timeout_s: float) -> None:
    """Until every side has told what is wanted of it. Raises Absent, Failed."""
    while missing := [side for side, name in wanted.items() if name not in side.told]:
        ready = wait([side.pipe for side in missing], timeout_s)
        if not ready:
            raise Failed(f"nothing was heard of it for {timeout_s:g} s")
        for side in missing:
            if side.pipe in ready:
                side.read()


def free_port() -> int:
    """A port of loopback that nobody has at the moment, for those who cannot take any by themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
