from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from zbus.errors import NodeFailed
from zbus.nodes import _child
from zbus.nodes._child import Child, ChildPlan, describe_exit


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    monkeypatch.setattr(_child, "FIRST_BACK_OFF_S", 0.01)
    made: list[Child] = []
    yield made
    for child in made:
        child.wait(0.0)


@pytest.fixture
def make(children: list[Child]) -> Callable[..., Child]:
    def make(*arguments: str) -> Child:
        children.append(Child(ChildPlan("n1", "camera", arguments, 1)))
        return children[-1]

    return make


def ended(child: Child, wait_until: Any) -> None:
    wait_until(lambda: child.check() == "ended")


def test_it_is_started_again_and_again_after_longer_times(make: Any, wait_until: Any) -> None:
    child = make("--version")
    child.start()
    assert child.running
    assert child.pid > 0
    waits = []
    for restarts in (1, 2):
        ended(child, wait_until)
        assert (child.running, child.pid, child.exit_code, child.failure) == (False, 0, 0, None)
        waits.append(child._due_s - time.monotonic())
        wait_until(lambda: child.check() == "restarted")
        assert child.restarts == restarts
    assert waits[1] > waits[0]


def test_its_own_words_tell_why_it_ended(make: Any, wait_until: Any, capfd: Any) -> None:
    child = make("camera", "--directory", "foo", "file", "--path", "nowhere.avi")
    child.start()
    ended(child, wait_until)
    assert isinstance(child.failure, NodeFailed)
    assert child.failure.cause.startswith("n1: --directory: is 'foo'")
    assert (child.failure.code, child.failure.exit_code, child.exit_code) == ("bad_config", 3, 3)
    assert child.to_map()["cause"] == child.failure.cause
    # The supervisor tells it, so the child itself does not.
    assert capfd.readouterr().err == ""


def test_an_end_without_words_is_told_by_its_code(make: Any, wait_until: Any, capfd: Any) -> None:
    child = make("--no-such-option")
    child.start()
    ended(child, wait_until)
    assert child.failure is not None
    assert child.failure.cause == "n1 ended with exit code 2"
    assert "No such option" in capfd.readouterr().err


def test_one_that_was_killed_did_not_fail(make: Any, wait_until: Any) -> None:
    child = make("broker", "--directory", "tcp://127.0.0.1:0")
    child.start()
    child._process.kill()
    ended(child, wait_until)
    assert child.failure is None
    assert child.describe_end() == "killed by SIGKILL"


def test_a_process_that_the_system_refuses_is_tried_again(
    make: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = make("--version")
    with monkeypatch.context() as patch:
        patch.setattr(_child.sys, "executable", "/no/such/python")
        child.start()
        assert not child.running
        assert child.failure is not None
        assert "cannot be started" in child.failure.cause
        wait_until(lambda: child.check() == "ended")
    wait_until(lambda: child.check() == "restarted")


def test_one_that_does_not_stop_is_killed(make: Any, caplog: Any, wait_until: Any) -> None:
    child = make("broker", "--directory", "tcp://127.0.0.1:0")
    child.start()
    child._process.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    child.ask_to_stop()
    child.wait(time.monotonic())
    assert (child.running, child.exit_code) == (False, -signal.SIGKILL)
    assert "does not stop" in caplog.text
    child.ask_to_stop()
    child.wait(0.0)


def test_exit_codes_in_words() -> None:
    assert [describe_exit(code) for code in (None, 0, 7, -9, -250)] == [
        "running",
        "exit code 0",
        "exit code 7",
        "killed by SIGKILL",
        "exit code -250",
    ]
