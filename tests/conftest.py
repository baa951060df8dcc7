"""What tests of more than one room share: deadlines, free endpoints, and brokers that run."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

DEADLINE_S = 20.0
POLL_S = 0.005

# Below the ports that the kernel hands out, so that no outgoing connection takes one meanwhile.
PORTS = range(20_000, 32_000)

WaitUntil = Callable[[Callable[[], object]], None]

_BROKER = """
import json, signal, sys
from zbus.config import BrokerPlan
from zbus.transport import Reactor
from zbus_brokers import run_broker
with Reactor() as reactor:
    signal.signal(signal.SIGTERM, lambda number, frame: reactor.stop())
    run_broker(BrokerPlan(*sys.argv[1:]), reactor, lambda endpoints: print(json.dumps(endpoints), flush=True))
"""


@dataclass
class RunningBroker:
    """Where a broker listens; `process` where it has one of its own."""

    directory: str
    publish: str
    subscribe: str
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def places(self) -> tuple[str, str, str]:
        return self.directory, self.publish, self.subscribe

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def wait_until() -> WaitUntil:
    """Waits until a condition holds; fails at the deadline."""

    def wait(condition: Callable[[], object], timeout_s: float = DEADLINE_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, "the condition did not come true"
            time.sleep(POLL_S)

    return wait


@pytest.fixture
def free_endpoint() -> Callable[[], str]:
    """Gives an endpoint on loopback that nobody has, for a server which must come back to the same one."""
    given: set[int] = set()

    def find() -> str:
        while True:
            port = random.choice(PORTS)
            if port not in given and _is_free(port):
                given.add(port)
                return f"tcp://127.0.0.1:{port}"

    return find


@pytest.fixture
def broker() -> Iterator[RunningBroker]:
    """A broker in a thread of this process, at ports of its own."""
    from zbus.config import BrokerPlan
    from zbus.transport import Reactor
    from zbus_brokers import run_broker

    told: dict[str, str] = {}
    ready = threading.Event()

    def on_ready(endpoints: Mapping[str, str]) -> None:
        told.update(endpoints)
        ready.set()

    with Reactor() as reactor:
        plan = BrokerPlan(*["tcp://127.0.0.1:0"] * 3)
        thread = threading.Thread(target=run_broker, args=(plan, reactor, on_ready))
        thread.start()
        try:
            assert ready.wait(DEADLINE_S)
            yield RunningBroker(**told)
        finally:
            reactor.stop()
            thread.join(DEADLINE_S)


@pytest.fixture
def start_broker() -> Iterator[Callable[..., RunningBroker]]:
    """Starts broker processes; give it the `places` of one that died to have it come back."""
    with ExitStack() as ends:

        def start(*places: str) -> RunningBroker:
            process = subprocess.Popen(
                [sys.executable, "-c", _BROKER, *(places or ["tcp://127.0.0.1:0"] * 3)],
                stdout=subprocess.PIPE,
                text=True,
            )
            ends.callback(_end, process)
            assert process.stdout is not None
            return RunningBroker(**json.loads(process.stdout.readline()), process=process)

        yield start


@pytest.fixture
def two_hosts() -> Callable[..., AbstractContextManager[Any]]:
    """Makes two hosts and the cable between them (two_hosts.py); skips where that cannot be, and says why."""
    from two_hosts import make_two_hosts, why_no_hosts

    reason = why_no_hosts()
    if reason:
        pytest.skip(reason)
    return make_two_hosts


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
