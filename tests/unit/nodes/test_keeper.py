from __future__ import annotations

from typing import Any

import psutil
import pytest
from running_edge import free_edge

from zbus.errors import NodeFailed
from zbus.nodes import ChildPlan, Keeper, plan_edge, taken_places
from zbus.transport import Reactor


def test_it_is_started_again_when_it_is_killed_and_ends_with_its_keeper(wait_until: Any) -> None:
    bind = free_edge().bind
    arguments = ["edge", "--bind", bind, "--insecure", "--directory", "tcp://127.0.0.1:1"]
    with Reactor() as reactor:
        keeper = Keeper(ChildPlan("edge", "edge", arguments, 1, back_off_max_s=0.1), reactor)
        with keeper:
            first = keeper.child.pid
            psutil.Process(first).kill()
            wait_until(lambda: reactor.run_once(0.05) or keeper.child.pid not in (0, first))
            last = keeper.child.pid
            assert keeper.child.restarts == 1
        assert not psutil.pid_exists(last)
        keeper.close()


def test_what_waiting_does_not_heal_ends_the_loop() -> None:
    plan = plan_edge(["--bind", "nowhere"])
    with Reactor() as reactor, Keeper(plan, reactor), pytest.raises(NodeFailed, match="--bind") as failed:
        reactor.run()
    assert failed.value.exit_code == 3


def test_places_of_an_edge_that_somebody_has_are_told(free_endpoint: Any, wait_until: Any) -> None:
    import socket

    plan = free_edge()
    assert taken_places(plan) == []
    with socket.create_server(("127.0.0.1", int(plan.places[2].rpartition(":")[2]))):
        assert taken_places(plan) == [plan.places[2]]
