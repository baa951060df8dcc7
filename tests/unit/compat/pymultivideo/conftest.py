"""A loop, and a broker of which nobody hears."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator

import pytest

from zbus.config import BrokerPlan
from zbus.transport import Reactor

DEADLINE_S = 20.0


@pytest.fixture
def loop() -> Iterator[Reactor]:
    with Reactor() as reactor:
        yield reactor


@pytest.fixture
def turn_until(loop: Reactor) -> Callable[[Callable[[], object]], None]:
    """Turns the loop until a condition holds; fails at the deadline."""

    def turn(condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "the condition did not come true"
            loop.run_once(0.01)

    return turn


@pytest.fixture
def nowhere(free_endpoint: Callable[[], str]) -> BrokerPlan:
    """A broker that is not there."""
    return BrokerPlan(free_endpoint(), free_endpoint(), free_endpoint())


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A short folder: names of sockets may not be long."""
    with tempfile.TemporaryDirectory(prefix="zb", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
