"""Nodes of a test: a runtime folder of its own, nodes in threads, and somebody who hears what they say."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from zbus.config import BrokerPlan
from zbus.transport import Reactor

DEADLINE_S = 20.0


class RunningNode:
    """A node in a thread; `error` is what ended it, if anything did."""

    def __init__(self, run: Callable[[Reactor], None]) -> None:
        self._run = run
        self.reactor = Reactor()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded)
        self._thread.start()

    def stop(self) -> None:
        self.reactor.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self.reactor.close()

    def _guarded(self) -> None:
        try:
            self._run(self.reactor)
        except BaseException as error:  # noqa: BLE001
            self.error = error


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder: names of sockets may not be long."""
    with tempfile.TemporaryDirectory(prefix="zb", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def plan(broker: Any) -> BrokerPlan:
    """Where the running broker is."""
    return BrokerPlan(broker.directory, broker.publish, broker.subscribe)


@pytest.fixture
def nowhere(free_endpoint: Callable[[], str]) -> BrokerPlan:
    """A broker that is not there."""
    return BrokerPlan(free_endpoint(), free_endpoint(), free_endpoint())


@pytest.fixture
def start(runtime: Path) -> Iterator[Callable[[Callable[[Reactor], None]], RunningNode]]:
    """Start nodes, which are stopped at the end."""
    with ExitStack() as ends:

        def start(run: Callable[[Reactor], None]) -> RunningNode:
            node = RunningNode(run)
            ends.callback(node.stop)
            return node

        yield start


@pytest.fixture
def listener(broker: Any, plan: BrokerPlan) -> Iterator[Any]:
    """Hears everything that is said at the broker."""
    from rig_process import Listener

    with Listener(plan) as listener:
        yield listener
