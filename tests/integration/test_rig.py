"""`zbus up`: a rig as processes, looked at, asked, changed and ended as its people do."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig_process import ARENA, RunningRig, rig_up, run_zbus, runtime_folder, small_rig

from zbus.errors import RequestRefused


@pytest.fixture(scope="module")
def rig() -> Iterator[RunningRig]:
    with runtime_folder() as folder, rig_up(small_rig(), folder) as running:
        yield running
        assert running.process.end(signal.SIGTERM) == 0
        assert running.process.children() == []
        assert "Traceback" not in running.process.stderr


def test_every_node_tells_its_state_and_its_work(rig: RunningRig) -> None:
    listener = rig.listener
    listener.until(lambda: len(listener.tracks) > 20 and len(listener.frames) > 20)
    roles = {node: state.role for node, state in listener.states.items()}
    assert roles == {
        "arena": "camera",
        "tracker": "tracker",
        "overlay": "overlay",
        "directory": "broker",
        "supervisor": "supervisor",
    }
    assert listener.states["arena"].details["width"] == ARENA["width"]


def test_ps_shows_the_processes_and_ls_what_they_publish(rig: RunningRig) -> None:
    (shown,) = json.loads(run_zbus("ps", "--json", folder=rig.folder).stdout)["rigs"]
    children = {child["node"]: child for child in shown["children"]}
    assert {node: child["role"] for node, child in children.items()} == {
        "directory": "broker",
        "arena": "camera",
        "tracker": "tracker",
        "overlay": "overlay",
    }
    assert all(child["running"] and child["restarts"] == 0 for child in children.values())
    told = run_zbus("ps", folder=rig.folder)
    assert f"directory {rig.rig.broker.directory}" in told.stdout

    listed = run_zbus("ls", "--rig", str(rig.path), "--json", folder=rig.folder)
    found = json.loads(listed.stdout)
    topics = {topic for node in found["nodes"] for topic in node["publishes"]}
    assert {"frame/arena/", "frame.jpeg/arena/", "tracks/tracker/", "state/overlay/"} <= topics
    assert found["endpoints"]["subscribe"] == rig.rig.broker.subscribe
    assert "tracks/tracker/" in run_zbus("ls", "--rig", str(rig.path), folder=rig.folder).stdout


def test_tap_and_top_read_the_rig(rig: RunningRig) -> None:
    where = ["--rig", str(rig.path), "--json"]
    tapped = run_zbus("tap", "tracks/", "--count", "3", *where, folder=rig.folder)
    lines = [json.loads(line) for line in tapped.stdout.splitlines()]
    assert [line["topic"] for line in lines] == ["tracks/tracker/"] * 3
    assert all(isinstance(line["captured_us"], int) for line in lines)
    topped = run_zbus("top", "--seconds", "1.5", "--every", "0.5", *where, folder=rig.folder)
    rows = json.loads(topped.stdout.splitlines()[-1])["nodes"]
    assert {"arena", "tracker"} <= {row["node"] for row in rows}
    assert tapped.stderr == topped.stderr == ""


def test_a_camera_is_asked_and_configured_and_its_state_shows_it(rig: RunningRig) -> None:
    status = rig.ask("status", target="arena")
    assert (status["role"], status["state"]) == ("camera", "running")
    changed = rig.ask("configure", {"settings": {"Gain": 3.0, "AcquisitionFrameRate": 50.0}}, target="arena")
    assert changed["settings"]["Gain"] == 3.0
    listener = rig.listener
    listener.until(lambda: listener.states["arena"].settings.get("Gain") == 3.0)
    assert listener.states["arena"].settings["AcquisitionFrameRate"] == 50.0


@pytest.mark.parametrize("args", [{"settings": {"Gian": 3.0}}, {"settings": {}}, {}, {"settings": 3}])
def test_wrong_settings_are_refused_and_nothing_changes(rig: RunningRig, args: dict[str, object]) -> None:
    before = rig.ask("status", target="arena")["settings"]
    with pytest.raises(RequestRefused) as refused:
        rig.ask("configure", args, target="arena")
    assert refused.value.code == "camera"
    assert rig.ask("status", target="arena")["settings"] == before


def test_a_second_supervisor_is_refused_and_the_first_goes_on(rig: RunningRig) -> None:
    before = {node: child["pid"] for node, child in rig.children().items()}
    done = run_zbus("up", str(rig.path), folder=rig.folder)
    assert done.returncode == 1
    assert "is up already" in done.stderr
    assert "zbus down" in done.stderr
    assert "Traceback" not in done.stderr
    assert {node: child["pid"] for node, child in rig.children().items()} == before


def test_a_node_that_is_asked_to_stop_is_started_again(rig: RunningRig) -> None:
    """By control one ends a process; whether there is a next one is the supervisor's business."""
    listener = rig.listener
    before = rig.children()["tracker"]["pid"]
    assert rig.ask("stop", target="tracker") == {}
    listener.until(lambda: listener.fields_of("supervisor", "node_restarted"))
    (ended,) = listener.fields_of("supervisor", "node_ended")
    assert (ended["node"], ended["cause"]) == ("tracker", "exit code 0")
    listener.until(
        lambda: listener.state_of("tracker") == "running" and listener.states["tracker"].pid != before
    )
    tracked = len(listener.tracks)
    listener.until(lambda: len(listener.tracks) > tracked + 10)
    child = rig.children()["tracker"]
    assert (child["restarts"], child["cause"]) == (1, "exit code 0")


def end_by_down(running: RunningRig) -> int:
    done = run_zbus("down", str(running.path), folder=running.folder)
    assert (done.returncode, done.stdout) == (0, "lab is down\n")
    return running.process.process.wait(1)


def end_by_ctrl_c(running: RunningRig) -> int:
    return running.process.end(signal.SIGINT)


def test_every_way_to_end_a_rig_leaves_nothing_behind() -> None:
    rig = small_rig(tracked=False)
    with runtime_folder() as folder:
        for end in (end_by_down, end_by_ctrl_c):
            with rig_up(rig, folder) as running:
                assert end(running) == 0
                assert running.process.children() == []
                assert "Traceback" not in running.process.stderr
                assert running.process.stdout.splitlines()[-1] == "lab is down"
                assert [path.name for path in left_in(folder) if path.suffix != ".lock"] == []
        done = run_zbus("down", str(running.path), folder=folder)
        assert done.returncode == 4
        assert "zbus up" in done.stderr


def left_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "zbus").rglob("*") if path.is_file() or path.is_socket()]
