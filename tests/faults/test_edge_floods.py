"""Crowds at the locked door for other computers: who has a key stays, and nobody without one slips in."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import psutil
import pytest
import zmq
from honest import CAM, Honest
from rig_process import ZbusProcess, runtime_folder
from running_edge import free_edge
from strangers import GREETING, open_raw, stranger

from zbus.transport import EVERY, ClientKey, KeysFolder, Rights, Subscriber, load_client_key

pytestmark = pytest.mark.fault

# Enough for its own sockets and some guests, and few enough to be used up.
FEW_FILES = 160
HALF_OPEN = 500


@dataclass
class Edge:
    """A process of its own before a broker, and a key that opens it."""

    process: ZbusProcess
    places: tuple[str, ...]
    key: ClientKey

    @property
    def pid(self) -> int:
        return self.process.process.pid

    @property
    def fds(self) -> int:
        return psutil.Process(self.pid).num_fds()

    def hear(self, key: ClientKey | None) -> Subscriber:
        return Subscriber(self.places[2], str(CAM), policy=EVERY, key=key)


@pytest.fixture
def edge(start_broker, wait_until) -> Iterator[Edge]:
    """With a camera that publishes behind it."""
    broker = start_broker()
    with runtime_folder() as folder, Honest(broker) as honest:
        keys, plan = KeysFolder(folder / "keys"), free_edge()
        keys.make_rig_key()
        key = load_client_key(keys.new_client("laptop", Rights(subscribe=("frame/",))))
        places = ["--directory", broker.directory, "--publish", broker.publish]
        places += ["--subscribe", broker.subscribe, "--keys", str(keys.folder)]
        with ZbusProcess("edge", "--bind", plan.bind, *places, folder=folder) as process:
            edge = Edge(process, plan.places, key)
            process.wait_for(lambda: answers(edge))
            wait_until(lambda: honest.heard > 5)
            yield edge
    assert (honest.counters.gaps, honest.counters.restarts) == (0, 0)


def answers(edge: Edge) -> bool:
    with edge.hear(edge.key) as guest:
        return guest.recv(1.0) is not None


def hears_nothing(edge: Edge) -> bool:
    """True where somebody without a key, and somebody with a pair of keys of their own, are told nothing."""
    public, secret = (each.decode() for each in zmq.curve_keypair())
    own = ClientKey("own", public, secret, edge.key.server)
    with edge.hear(own) as own_pair, stranger(zmq.SUB, edge.places[2]) as without:
        without.subscribe(b"")
        return own_pair.recv(1.0) is None and not without.poll(100)


def test_s7_out_of_files_nobody_without_a_key_comes_in(edge, wait_until):
    """An old broker of another kind, out of files, fell back to letting everybody in (CVE-2017-7652)."""
    with edge.hear(edge.key) as guest, ExitStack() as many:
        wait_until(lambda: guest.recv(1.0) is not None)
        resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))
        use_up(edge, many)
        assert hears_nothing(edge)
        # Who was in before goes on.
        received = guest.counters.received
        wait_until(lambda: guest.recv(1.0) is not None and guest.counters.received > received + 20)
        many.close()
        wait_until(lambda: answers(edge))
        assert hears_nothing(edge)
    assert edge.process.process.poll() is None


def use_up(edge: Edge, many: ExitStack) -> None:
    """Open connections, which say nothing, until it has no files left."""
    for place in edge.places * FEW_FILES:
        if edge.fds >= FEW_FILES - 1:
            return
        many.enter_context(open_raw(place))
    pytest.fail(f"the edge has {edge.fds} files open, of {FEW_FILES}")


def test_s7_half_open_connections_at_the_edge_are_shed(edge, wait_until):
    before = edge.fds
    with edge.hear(edge.key) as guest, ExitStack() as many:
        wait_until(lambda: guest.recv(1.0) is not None)
        for number in range(HALF_OPEN):
            many.enter_context(open_raw(edge.places[number % 4])).sendall(GREETING[: number % 40])
        wait_until(lambda: edge.fds > before + HALF_OPEN / 2)
        wait_until(lambda: guest.recv(1.0) is not None and edge.fds < before + 20)
        assert hears_nothing(edge)
        assert guest.counters.restarts == 0
