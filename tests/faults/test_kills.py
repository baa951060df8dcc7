"""Killed and frozen processes of a rig: it comes back by itself, listeners go on, and losses are told."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from rig_process import ARENA, Listener, RunningRig, is_running, rig_up, run_zbus, runtime_folder, small_rig

from zbus.transport import Gap, Restart

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def rig() -> Iterator[RunningRig]:
    with runtime_folder() as folder, rig_up(small_rig(), folder) as running:
        yield running


def kill(rig: RunningRig, node: str) -> int:
    """SIGKILL a node's process; returns what it was."""
    pid = rig.children()[node]["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def wait_until_back(rig: RunningRig, node: str, killed: int) -> None:
    """Until a new process of the node tells on the bus that it runs, and the supervisor that all do."""
    listener = rig.listener
    listener.until(lambda: listener.state_of(node) == "running" and listener.states[node].pid != killed)
    listener.until(lambda: listener.state_of("supervisor") == "running")
    tracked = len(listener.tracks)
    listener.until(lambda: len(listener.tracks) > tracked + 10)


def restarts_of(listener: Listener, topic: str) -> list[Restart]:
    return [each for each in listener.findings if isinstance(each, Restart) and each.topic == topic]


def test_a_killed_camera_is_back_and_its_restart_is_told(rig: RunningRig) -> None:
    listener = rig.listener
    before = listener.states["arena"].pid
    assert kill(rig, "arena") == before
    wait_until_back(rig, "arena", before)
    listener.until(lambda: restarts_of(listener, "frame/arena/"))
    listener.until(lambda: listener.fields_of("tracker", "restart"))
    (told,) = listener.fields_of("tracker", "restart")
    assert told["topic"] == "frame/arena/"
    assert told["old_session"] != told["new_session"]
    assert told["silent_s"] > 0
    listener.until(lambda: listener.counter("tracker", "restarts") == 1)
    listener.until(lambda: listener.fields_of("directory", "node_lost"))
    assert listener.fields_of("directory", "node_lost")[0]["node"] == "arena"
    (ended,) = listener.fields_of("supervisor", "node_ended")
    assert (ended["node"], ended["cause"]) == ("arena", "killed by SIGKILL")
    assert [each["node"] for each in listener.fields_of("supervisor", "node_restarted")] == ["arena"]
    assert rig.children()["arena"]["restarts"] == 1


@pytest.mark.parametrize("node", ["tracker", "overlay"])
def test_another_killed_node_is_back_and_the_camera_goes_on(rig: RunningRig, node: str) -> None:
    listener = rig.listener
    camera, before = listener.states["arena"].pid, listener.states[node].pid
    kill(rig, node)
    wait_until_back(rig, node, before)
    listener.until(lambda: restarts_of(listener, f"state/{node}/"))
    listener.until(
        lambda: node in [each["node"] for each in listener.fields_of("supervisor", "node_restarted")]
    )
    listener.until(lambda: node in [each["node"] for each in listener.fields_of("directory", "node_lost")])
    assert listener.states["arena"].pid == camera
    assert rig.children()[node]["restarts"] == 1


def test_a_killed_broker_is_back_and_what_was_missed_is_a_gap(rig: RunningRig) -> None:
    listener = rig.listener
    found, restarts = len(listener.findings), listener.counter("tracker", "restarts")
    pids = {node: listener.states[node].pid for node in ("arena", "tracker", "overlay")}
    killed = kill(rig, "directory")
    wait_until_back(rig, "directory", killed)
    frames = len(listener.frames)
    listener.until(lambda: len(listener.frames) > frames + 10)
    # The camera ran on: the same session, some numbers missing.
    gaps = [each for each in listener.findings[found:] if isinstance(each, Gap)]
    assert any(gap.topic == "frame/arena/" and gap.lost > 0 for gap in gaps)
    assert {node: listener.states[node].pid for node in pids} == pids
    # Its frames come from the camera itself, whose session it has never lost.
    assert listener.counter("tracker", "restarts") == restarts
    assert rig.ask("status", target="arena")["state"] == "running"
    assert rig.children()["directory"]["restarts"] == 1


def test_a_frozen_tracker_holds_nobody_up_and_counts_what_it_missed(rig: RunningRig) -> None:
    listener = rig.listener
    tracker = psutil.Process(rig.children()["tracker"]["pid"])
    dropped = listener.counter("arena", "dropped")
    first, seconds = len(listener.frames), 3
    tracker.suspend()
    try:
        listener.until(lambda: len(listener.frames) >= first + seconds * ARENA["fps"])
        numbers = listener.frames[first:]
    finally:
        tracker.resume()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert listener.counter("arena", "dropped") == dropped
    tracked = len(listener.tracks)
    listener.until(lambda: len(listener.tracks) > tracked + 10)
    listener.until(
        lambda: listener.counter("tracker", "lost") + listener.counter("tracker", "frames_skipped") > 0
    )
    assert tracker.is_running()
    assert rig.children()["tracker"]["pid"] == tracker.pid


def test_a_killed_supervisor_takes_its_processes_along_and_the_next_one_starts() -> None:
    rig = small_rig(tracked=False)
    with runtime_folder() as folder, rig_up(rig, folder) as running:
        orphans = running.process.children()
        assert len(orphans) == 2
        running.process.process.kill()
        running.process.process.wait()
        # At once, while the orphans are still about to end.
        with rig_up(rig, folder) as again:
            assert not any(map(is_running, orphans))
            assert all(child["restarts"] == 0 for child in again.children().values())
            assert again.process.end() == 0
        running.process.wait_for(lambda: not any(map(is_running, orphans)))


def test_orphans_end_even_where_nobody_comes_after_them() -> None:
    with runtime_folder() as folder, rig_up(small_rig(tracked=False), folder) as running:
        orphans = running.process.children()
        running.process.process.kill()
        running.process.process.wait()
        running.process.wait_for(lambda: not any(map(is_running, orphans)))
        assert json.loads(run_zbus("ps", "--json", folder=folder).stdout) == {"rigs": []}
        assert sockets_in(folder) == []


def sockets_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_socket()]
