"""Two hosts in one thread: on each a broker and a relay, all turned by one loop of the test."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zbus.config import BrokerPlan, HostPlan, RelayPlan, Rig, host_part
from zbus.errors import AddressInUse
from zbus.transport import FRAMES_OUT, Publisher, Reactor, Requester
from zbus_brokers import run_broker
from zbus_brokers.relay import run_relay

DEADLINE_S = 20.0


class Running:
    """Something with a loop of its own, in a thread; `error` is what ended it."""

    def __init__(self, run: Callable[[Reactor], None]) -> None:
        self.reactor = Reactor()
        self.error: BaseException | None = None
        self._run = run
        self._thread = threading.Thread(target=self._guarded)
        self._thread.start()

    def stop(self) -> None:
        self.reactor.stop()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self.reactor.close()

    def _guarded(self) -> None:
        try:
            self._run(self.reactor)
        except BaseException as error:  # noqa: BLE001
            self.error = error


class Hosts:
    """The hosts `left` and `right` of a rig; what runs on them ends with the test."""

    def __init__(self, ends: ExitStack, folder: Path, free_endpoint: Callable[[], str]) -> None:
        self._ends, self._folder = ends, folder
        self.ports = {host: free_endpoint().rpartition(":")[2] for host in ("left", "right")}
        self.plans = {
            host: HostPlan("127.0.0.1", int(port), *(free_endpoint() for _ in range(3)))
            for host, port in self.ports.items()
        }
        self.relay = RelayPlan()
        self.keys: Path | None = None

    def rig(self, host: str) -> Rig:
        return host_part(Rig("lab", hosts=self.plans, relay=self.relay, reference="left"), host)

    def broker(self, host: str) -> BrokerPlan:
        return self.rig(host).broker

    def start(self, run: Callable[[Reactor], None]) -> Running:
        running = Running(run)
        self._ends.callback(running.stop)
        return running

    def start_broker(self, host: str) -> Running:
        ready = threading.Event()

        def run(reactor: Reactor) -> None:
            deadline_s = time.monotonic() + DEADLINE_S
            while not ready.is_set():
                try:
                    run_broker(self.broker(host), reactor, lambda endpoints: ready.set())
                except AddressInUse:
                    # Why: the sockets of one that ended in this process close a moment later.
                    if time.monotonic() > deadline_s:
                        raise

        running = self.start(run)
        assert ready.wait(DEADLINE_S), running.error
        return running

    def start_relay(self, host: str, relay: RelayPlan | None = None) -> Running:
        folder = self._folder / host
        folder.mkdir(exist_ok=True)
        rig = replace(self.rig(host), relay=relay or self.relay)
        return self.start(lambda reactor: run_relay(rig, rig.broker, reactor, folder, self.keys))

    def start_all(self) -> None:
        for host in self.plans:
            self.start_broker(host)
        for host in self.plans:
            self.start_relay(host)

    def ask(self, host: str, verb: str, target: str = "directory", **args: Any) -> Any:
        with Requester(self.broker(host).directory) as requester:
            return requester.request(verb, args, target=target, timeout_s=5.0)

    def nodes(self, host: str) -> dict[str, Any]:
        return {node["node"]: node for node in self.ask(host, "nodes")["nodes"]}

    def details(self, host: str, other: str) -> Any:
        return self.ask(host, "status", f"relay.{host}")["details"]["hosts"][other]


class Node:
    """A node of a test: announced, and with a publisher."""

    def __init__(self, hosts: Hosts, host: str, name: str, publishes: list[str]) -> None:
        broker = hosts.broker(host)
        self.name, self.publisher = name, Publisher(name, link=FRAMES_OUT, connect=[broker.publish])
        self.requester = Requester(broker.directory)
        self.publishes, self.host = publishes, host
        self.rates: dict[str, float] = {}

    def __enter__(self) -> Node:
        self.publisher.open()
        self.requester.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.close()
        self.requester.close()

    def announce(self) -> None:
        args = {"node": self.name, "role": "camera", "session": self.publisher.session, "pid": 1}
        args |= {"host": self.host, "publishes": self.publishes, "endpoints": [], "rates": self.rates}
        self.requester.request("announce", args, timeout_s=5.0)


@pytest.fixture
def hosts(free_endpoint: Any) -> Iterator[Hosts]:
    with tempfile.TemporaryDirectory(prefix="zb") as folder, ExitStack() as ends:
        yield Hosts(ends, Path(folder), free_endpoint)


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    with Reactor() as reactor:
        yield reactor


@pytest.fixture
def turn(reactor: Reactor) -> Callable[[Callable[[], object]], None]:
    """Turn the loop until a condition holds."""

    def turn(condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "the condition did not come true"
            reactor.run_once(0.01)

    return turn
