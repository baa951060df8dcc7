from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zbus.config import BrokerPlan, Rig
from zbus.nodes import find_supervisor, find_supervisors, has_left, rig_folder
from zbus.nodes._child import Child, ChildPlan
from zbus.nodes._status import FILE_NAME, SUPERVISOR, StatusFile, is_alive, is_up, take_leftover
from zbus.transport import IpcName

RIG = Rig("lab", broker=BrokerPlan(directory="tcp://127.0.0.1:6001"))


@pytest.fixture
def folder() -> Path:
    return rig_folder(RIG.broker)


@pytest.fixture
def status(folder: Path) -> StatusFile:
    status = StatusFile(folder, RIG, [Child(ChildPlan("cam1", "camera", [], 1))])
    status.write()
    return status


def test_a_rig_is_up_while_its_supervisor_holds_the_name(folder: Path, status: StatusFile) -> None:
    assert find_supervisor(RIG.broker) is None
    name = IpcName(folder, SUPERVISOR)
    name.acquire()
    found = find_supervisor(RIG.broker)
    assert found is not None
    assert (found["rig"], found["pid"], found["directory"]) == ("lab", os.getpid(), RIG.broker.directory)
    assert [child["node"] for child in found["children"]] == ["cam1"]
    assert find_supervisors() == [found]
    assert is_up(RIG.broker)
    assert not has_left(found)
    name.release()
    assert has_left(found)
    assert find_supervisors() == []


def test_another_supervisor_that_came_after_is_not_the_one_that_was(folder: Path, status: StatusFile) -> None:
    name = IpcName(folder, SUPERVISOR)
    name.acquire()
    found = find_supervisor(RIG.broker)
    assert found is not None
    assert has_left({**found, "pid": found["pid"] + 1})
    name.release()


def test_it_is_written_each_second_and_when_something_happens(folder: Path, status: StatusFile) -> None:
    path = folder / FILE_NAME
    path.unlink()
    status.refresh(at_once=False)
    assert not path.exists()
    status.refresh(at_once=True)
    assert path.exists()
    status.remove()
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_full_is_told_once_and_ends_nothing(
    status: StatusFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    status.write()
    status.write()
    assert caplog.text.count("No space left") == 1


def test_what_a_killed_supervisor_left_is_taken_once(folder: Path) -> None:
    (folder / FILE_NAME).write_text(json.dumps({"pid": 1, "children": [{"pid": 0}, {"pid": 77}]}))
    assert take_leftover(folder) == [0, 77]
    assert take_leftover(folder) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_torn_status_is_none(folder: Path, text: str) -> None:
    (folder / FILE_NAME).write_text(text)
    assert find_supervisor(RIG.broker) is None
    assert take_leftover(folder) == []


def test_a_process_is_alive_until_it_has_ended_even_where_nobody_waits_for_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    assert is_alive(process.pid)
    process.stdin.close()
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid)
    process.wait()
    process.stdout.close()
    assert not is_alive(process.pid)
    assert not is_alive(0)
