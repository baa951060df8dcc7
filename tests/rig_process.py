"""zbus as a person runs it: commands and whole rigs as processes, with a runtime folder of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from zbus.cli._demo_rig import choose_ports
from zbus.config import BrokerPlan, CameraPlan, OverlayPlan, Rig, TrackerPlan, write_rig
from zbus.transport import EVERY, Finding, Received, Requester, Subscriber
from zbus.wire import KINDS, Event, Frame, OverlaySet, State, TracksMessage

DEADLINE_S = 40.0
# Where the tests are killed, no rig of theirs may run on. Linux has a way (PR_SET_PDEATHSIG); elsewhere look.
END_WITH_TESTS = (
    "import ctypes, os, sys\n"
    "if sys.platform == 'linux':\n"
    "    ctypes.CDLL(None).prctl(1, 15)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
COMMAND = [sys.executable, "-P", "-W", "error", "-m", "zbus"]
ARENA = {"animals": 3, "width": 320, "height": 240, "fps": 30.0, "noise": 1.0, "light": "even"}


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder for sockets and locks; a short one, since the names of sockets may not be long."""
    with tempfile.TemporaryDirectory(prefix="zb", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def small_rig(*, tracked: bool = True) -> Rig:
    """A broker and a simulated camera at free ports, with a tracker and an overlay door where `tracked`."""
    trackers = {"tracker": TrackerPlan("arena", settings={"animals": ARENA["animals"]})} if tracked else {}
    overlay = OverlayPlan() if tracked else None
    return choose_ports(
        Rig("lab", cameras={"arena": CameraPlan("sim", ARENA)}, trackers=trackers, overlay=overlay)
    )


def run_zbus(
    *arguments: str, folder: Path, timeout_s: float = DEADLINE_S
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class ZbusProcess:
    """A command that runs on; what it says is kept in files. In `with`, all that it started ends with it.

    `within` stands before it, for another place to run it in; it must keep the process id.
    """

    def __init__(self, *arguments: str, folder: Path, within: Sequence[str] = ()) -> None:
        self.folder = folder
        self._within = within
        self._arguments = arguments
        self._seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> ZbusProcess:
        with ExitStack() as stack:
            out = stack.enter_context(tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False))
            err = stack.enter_context(tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False))
            self._out, self._err = Path(out.name), Path(err.name)
            self.process = subprocess.Popen(
                [*self._within, sys.executable, "-S", "-c", END_WITH_TESTS, *COMMAND, *self._arguments],
                env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder)},
                cwd=self.folder,
                stdout=out,
                stderr=err,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.children()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for child in self._seen.values():
            if child.is_running():
                child.kill()

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    def children(self) -> list[psutil.Process]:
        """The processes that it started and that run."""
        if self.process.poll() is None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                self._seen.setdefault(child.pid, child)
        return [child for child in self._seen.values() if is_running(child)]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait; returns the exit code."""
        self.children()
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Fails with what the process said where it does not come true."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"{self.stdout}\n{self.stderr}"
            time.sleep(0.02)

    def first_line(self) -> dict[str, Any]:
        """The first line of output, a JSON object, once it is there."""
        self.wait_for(lambda: "\n" in self.stdout or self.process.poll() is not None)
        assert "\n" in self.stdout, self.stderr
        return json.loads(self.stdout.splitlines()[0])


def is_running(process: psutil.Process) -> bool:
    """False also for one that has ended and that nobody has waited for."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Listener(threading.Thread):
    """Hears all of a bus, in a thread: last states, every event, and which frames and tracks came."""

    def __init__(self, broker: BrokerPlan) -> None:
        super().__init__(name="listener", daemon=True)
        self._subscribe = broker.subscribe
        self._done = threading.Event()
        self.findings: list[Finding] = []
        self.states: dict[str, State] = {}
        self.events: list[tuple[str, Event]] = []
        self.frames: list[int] = []
        self.tracks: list[int] = []
        self.overlays: list[OverlaySet] = []

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        topics = [f"{kind}/" for kind in KINDS]
        with Subscriber(
            self._subscribe, topics, policy=EVERY, depth=5_000, on_finding=self.findings.append
        ) as subscriber:
            while not self._done.is_set():
                received = subscriber.recv(0.1)
                if received is not None:
                    self._take(received)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds; fails after the deadline."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"{self.states}\n{self.events[-20:]}\n{self.findings}"
            time.sleep(0.01)

    def state_of(self, node: str) -> str:
        return self.states[node].state if node in self.states else ""

    def counter(self, node: str, name: str) -> float:
        return self.states[node].counters.get(name, 0) if node in self.states else 0

    def fields_of(self, source: str, event: str) -> list[Mapping[str, Any]]:
        """What went with each event of this name from this node."""
        return [told.fields for node, told in self.events if (node, told.event) == (source, event)]

    def _take(self, received: Received) -> None:
        body, node = received.body, received.origin.node
        if isinstance(body, State):
            self.states[node] = body
        elif isinstance(body, Event):
            if body.event != "truth":
                self.events.append((node, body))
        elif isinstance(body, Frame):
            self.frames.append(body.frame_number)
        elif isinstance(body, TracksMessage):
            self.tracks.append(body.frame_number)
        elif isinstance(body, OverlaySet):
            self.overlays.append(body)


class RunningRig:
    """`zbus up` of a rig, its supervisor, and somebody who listens."""

    def __init__(self, rig: Rig, process: ZbusProcess, path: Path, listener: Listener) -> None:
        self.rig, self.process, self.path, self.listener = rig, process, path, listener

    @property
    def folder(self) -> Path:
        return self.process.folder

    def ask(self, verb: str, args: Mapping[str, Any] | None = None, *, target: str) -> Mapping[str, Any]:
        """Ask a node."""
        with Requester(self.rig.broker.directory) as requester:
            return requester.request(verb, args, target=target, timeout_s=10.0)

    def children(self) -> dict[str, dict[str, Any]]:
        """What the supervisor tells of each process, as `zbus ps` shows it."""
        (path,) = (self.folder / "zbus").glob("*/supervisor.json")
        return {child["node"]: child for child in json.loads(path.read_text())["children"]}

    def wait_until_all_run(self) -> None:
        nodes = [
            *self.rig.cameras,
            *self.rig.trackers,
            *(["overlay"] if self.rig.overlay else []),
            "directory",
        ]
        self.listener.until(lambda: all(self.listener.state_of(node) == "running" for node in nodes))
        if self.rig.trackers:
            self.listener.until(lambda: self.listener.tracks)


@contextmanager
def rig_up(rig: Rig, folder: Path) -> Iterator[RunningRig]:
    """A rig that is up, and down afterwards whatever happens."""
    path = folder / "rig.toml"
    path.write_text(write_rig(rig), encoding="utf-8")
    with ZbusProcess("up", str(path), folder=folder) as process, Listener(rig.broker) as listener:
        running = RunningRig(rig, process, path, listener)
        try:
            running.wait_until_all_run()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{process.stderr}") from None
        process.children()
        yield running
