"""One process that a supervisor keeps running."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zbus.errors import EXIT_FAILURE, NodeFailed
from zbus.nodes._lifeline import SUPERVISOR_FD, read_last_words

FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.2, 10.0
HEALTHY_AFTER_S = 10.0
SETTLED_AFTER_S = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What to run: `arguments` of the zbus command. Lower ranks start first.

    However often it ends, it is started again after no more than `back_off_max_s`.
    """

    node: str
    role: str
    arguments: Sequence[str]
    rank: int
    back_off_max_s: float = LAST_BACK_OFF_S


class Child:
    """A process started again whenever it ends, after a time that doubles until it has run well for a while.

    It holds one end of a lifeline: it ends when the supervisor does, however it ends. `failure` is why it
    ended last by itself, None where it was killed or ended in peace.
    """

    def __init__(self, plan: ChildPlan) -> None:
        self.plan = plan
        self.restarts = 0
        self.exit_code: int | None = None
        self.failure: NodeFailed | None = None
        self.last_pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: socket.socket | None = None
        self._started_s = self._due_s = 0.0
        self._back_off_s = FIRST_BACK_OFF_S

    @property
    def pid(self) -> int:
        """Its process, 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """True while its process is there."""
        return self._process is not None

    @property
    def settled(self) -> bool:
        """True while its process is there, and was not started again just now."""
        return self.running and (not self.restarts or time.monotonic() - self._started_s > SETTLED_AFTER_S)

    def start(self) -> None:
        """Start the process now. Where the system refuses, it counts as one that ended."""
        self._started_s = time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    # Why -P: a json.py where the person happens to stand must not become part of the rig.
                    [sys.executable, "-P", "-m", "zbus", *self.plan.arguments],
                    stdin=subprocess.DEVNULL,
                    # Why: the supervisor's stdout is for programs to read; its children speak on stderr only.
                    stdout=sys.stderr.fileno(),
                    env={**os.environ, SUPERVISOR_FD: str(theirs.fileno())},
                    pass_fds=[theirs.fileno()],
                    # Why: Ctrl-C reaches the supervisor alone, which ends the rig in order.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                self.exit_code = EXIT_FAILURE
                self.failure = NodeFailed(f"{self.plan.node} cannot be started: {error}")
                self._plan_restart()
                return
        self._lifeline, self.last_pid = ours, self._process.pid

    def check(self) -> str:
        """Look after the process: "ended" when it just did, "restarted" when it was just started again."""
        if self._process is not None:
            exit_code = self._process.poll()
            if exit_code is None:
                return ""
            self._note_end(exit_code)
            self._plan_restart()
            return "ended"
        if time.monotonic() < self._due_s:
            return ""
        self.restarts += 1
        self.start()
        return "restarted" if self.running else "ended"

    @property
    def back_off_s(self) -> float:
        """How long until it is started again."""
        return max(0.0, self._due_s - time.monotonic())

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, deadline_s: float) -> None:
        """Wait until it has ended; past `deadline_s` (monotonic) it is killed."""
        if self._process is None:
            return
        try:
            exit_code = self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s does not stop and is killed", self.plan.node)
            self._process.kill()
            exit_code = self._process.wait()
        self._note_end(exit_code)

    def to_map(self) -> dict[str, Any]:
        """What `zbus ps` shows."""
        return {
            "node": self.plan.node,
            "role": self.plan.role,
            "pid": self.pid,
            "running": self.running,
            "restarts": self.restarts,
            "exit_code": self.exit_code,
            "cause": "" if self.exit_code is None else self.describe_end(),
            "up_s": round(time.monotonic() - self._started_s, 1) if self.running else 0.0,
            "back_off_s": round(self.back_off_s, 1) if not self.running else 0.0,
        }

    def describe_end(self) -> str:
        """How it ended last, in words."""
        return self.failure.cause if self.failure else describe_exit(self.exit_code)

    def _note_end(self, exit_code: int) -> None:
        self.exit_code, self._process = exit_code, None
        self.failure = None
        if self._lifeline is not None:
            with self._lifeline as end:
                self.failure = read_last_words(self.plan.node, end)
        self._lifeline = None
        if self.failure is None and exit_code > 0:
            cause = f"{self.plan.node} ended with {describe_exit(exit_code)}"
            self.failure = NodeFailed(cause, next_step="its own words stand above")

    def _plan_restart(self) -> None:
        now_s = time.monotonic()
        if now_s - self._started_s >= HEALTHY_AFTER_S:
            self._back_off_s = FIRST_BACK_OFF_S
        self._due_s = now_s + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, self.plan.back_off_max_s)


def describe_exit(exit_code: int | None) -> str:
    """An exit code in words."""
    if exit_code is None:
        return "running"
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
