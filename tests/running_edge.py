"""A broker's edge in a thread of the test, with keys of its own, and sockets of those who knock at it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq

from zbus.config import BrokerPlan, EdgePlan
from zbus.nodes import taken_places
from zbus.transport import (
    CONTROL_LINK,
    PUSH,
    SMALL_IN,
    SMALL_OUT,
    ClientKey,
    KeysFolder,
    Reactor,
    Rights,
    connect,
    load_client_key,
    make_socket,
)
from zbus_brokers.edge import run_edge

DEADLINE_S = 20.0
LINKS = {zmq.SUB: SMALL_IN, zmq.PUB: SMALL_OUT, zmq.DEALER: CONTROL_LINK, zmq.PUSH: PUSH, zmq.XSUB: SMALL_IN}


@dataclass
class RunningEdge:
    """Where it listens, the keys that open it, and what ended it, if something did."""

    plan: EdgePlan
    keys: KeysFolder
    failures: list[BaseException]

    @property
    def control(self) -> str:
        return self.plan.places[0]

    @property
    def publish(self) -> str:
        return self.plan.places[1]

    @property
    def subscribe(self) -> str:
        return self.plan.places[2]

    @property
    def overlays(self) -> str:
        return self.plan.places[3]

    def key(self, name: str, **rights: Any) -> ClientKey:
        """A new key with just these rights."""
        return load_client_key(self.keys.new_client(name, Rights(**rights)))


def free_edge(host: str = "127.0.0.1") -> EdgePlan:
    """Four ports in a row that nobody has."""
    while True:
        plan = EdgePlan(f"tcp://{host}:{random.randint(20_000, 31_990)}")
        if not taken_places(plan):
            return plan


@contextmanager
def edge_of(broker: Any, folder: Path, overlays: str, *, insecure: bool = False) -> Iterator[RunningEdge]:
    """The edge of a running broker."""
    keys = KeysFolder(folder / "keys")
    keys.make_rig_key()
    plan = EdgePlan(free_edge().bind, insecure=insecure)
    running = RunningEdge(plan, keys, [])
    ready = threading.Event()
    inside = BrokerPlan(broker.directory, broker.publish, broker.subscribe)

    def run(reactor: Reactor) -> None:
        try:
            run_edge(
                plan, inside, overlays, keys.folder, reactor, lambda places: ready.set(), memory_max_bytes=0
            )
        except BaseException as error:  # noqa: BLE001  Why: the test looks at it.
            running.failures.append(error)
            ready.set()

    with Reactor() as reactor:
        thread = threading.Thread(target=run, args=[reactor])
        thread.start()
        try:
            assert ready.wait(DEADLINE_S)
            yield running
        finally:
            reactor.stop()
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


@contextmanager
def knock(
    kind: int, endpoint: str, key: ClientKey | None, *, topics: tuple[str, ...] = ()
) -> Iterator[zmq.Socket[bytes]]:
    """A plain socket that is connected there."""
    with make_socket(kind, LINKS[kind]) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        for topic in topics:
            socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        connect(socket, endpoint, key)
        yield socket
