"""A whole rig in threads of the test, and clients as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zbus.compat.pymultivideo import FrontEnd, FrontEndSettings
from zbus.config import BrokerPlan, CameraPlan, OverlayPlan
from zbus.nodes import run_camera, run_overlay
from zbus.transport import EVERY, Reactor, Received, Subscriber
from zbus.wire import Frame, Overlay, OverlaySet, State
from zbus_brokers import run_broker

DEADLINE_S = 15.0
SCRIPTS = Path(__file__).parent / "scripts"
SIM = {
    "width": 160,
    "height": 120,
    "fps": 30.0,
    "body_length_px": 24.0,
    "body_width_px": 10.0,
    "light": "even",
}
ANY_PORT = "tcp://127.0.0.1:0"


class Running:
    """A node in a thread of its own; `error` is what ended it."""

    def __init__(self, run: Callable[[Reactor], None]) -> None:
        self._run, self._reactor = run, Reactor()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._reactor.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self._reactor.close()

    def _guarded(self) -> None:
        try:
            self._run(self._reactor)
        except BaseException as error:  # noqa: BLE001
            self.error = error


@dataclass
class Rig:
    """What is said on the bus is kept: frames by their time, overlay sets in order, the last states."""

    broker: BrokerPlan
    stack: ExitStack
    frames: dict[int, Frame] = field(default_factory=dict)
    overlays: list[tuple[Overlay, ...]] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    _has_door: bool = False

    def start(self, run: Callable[[Reactor], None]) -> Running:
        running = Running(run)
        self.stack.callback(running.stop)
        return running

    def camera(self, camera: str = "cam1", **settings: Any) -> Running:
        plan = CameraPlan("sim", {**SIM, **settings})
        return self.start(lambda reactor: run_camera(camera, plan, self.broker, reactor))

    def overlay_node(self, bind: str = ANY_PORT) -> Running:
        self._has_door = True
        return self.start(lambda reactor: run_overlay(OverlayPlan(bind), self.broker, reactor))

    def serve(self, camera: str = "cam1", **options: Any) -> Running:
        options = {"pub_address": ANY_PORT, "pull_address": ANY_PORT, **options}
        settings = FrontEndSettings(camera, **options)
        return self.start(lambda reactor: FrontEnd.run(settings, self.broker, reactor))

    def front_end(self, camera: str = "cam1") -> Mapping[str, Any]:
        """The details of a front-end, once it has frames and, where there is an overlay node, its door."""
        self.until(lambda: self.state_of(camera) == "running")
        self.until(lambda: not self._has_door or bool(self._details_of(camera)["boxes_to"]))
        return self._details_of(camera)

    def _details_of(self, camera: str) -> Mapping[str, Any]:
        return self.states[f"pymultivideo-{camera}"].details

    def state_of(self, camera: str = "cam1") -> str:
        state = self.states.get(f"pymultivideo-{camera}")
        return state.state if state else ""

    def counter(self, name: str, camera: str = "cam1") -> float:
        state = self.states.get(f"pymultivideo-{camera}")
        return state.counters.get(name, 0) if state else 0

    def door(self) -> str:
        """Where the overlay node listens."""
        self.until(lambda: "overlay" in self.states)
        return self.states["overlay"].details["door"]

    def until(self, condition: Callable[[], bool]) -> None:
        """Listen until it holds; fails after the deadline."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, self.states
            self.listen(0.02)

    def pass_time(self, seconds: float) -> None:
        """Listen for so long: the pace of a sender, never a wait for something."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self.listen(left_s)

    def listen(self, timeout_s: float) -> None:
        """Note what is said next, if anything is before the timeout."""
        received = self._listener.recv(timeout_s)
        for each in [received, *self._listener.take()] if received else []:
            self._note(each)

    def run_client(self, script: str, details: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """What the client printed. The bus is listened to meanwhile."""
        client = self.start_client(script, details, count)
        self.until(lambda: client.poll() is not None)
        output, _ = client.communicate()
        assert client.returncode == 0
        return [json.loads(line) for line in output.splitlines()]

    def start_client(self, script: str, details: Mapping[str, Any], count: int) -> subprocess.Popen[str]:
        addresses = [details["pub_address"], details["pull_address"]]
        command = [sys.executable, str(SCRIPTS / script), *addresses, str(count)]
        return self.stack.enter_context(ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))

    def __post_init__(self) -> None:
        topics = ["frame/", "overlay/", "state/"]
        listener = Subscriber(self.broker.subscribe, topics, policy=EVERY, depth=1000)
        self._listener = self.stack.enter_context(listener)

    def _note(self, received: Received) -> None:
        if isinstance(received.body, Frame):
            self.frames[received.body.captured_ns] = received.body
        elif isinstance(received.body, OverlaySet):
            self.overlays.append(received.body.shapes)
        elif isinstance(received.body, State):
            self.states[received.origin.node] = received.body


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone when the test is."""
    try:
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        if process.stdout is not None:
            process.stdout.close()


def start_rig(stack: ExitStack) -> Rig:
    """A broker on free ports, and a listener at it."""
    taken: dict[str, str] = {}
    ready = threading.Event()

    def tell(endpoints: Mapping[str, str]) -> None:
        taken.update(endpoints)
        ready.set()

    anywhere = BrokerPlan(directory=ANY_PORT, publish=ANY_PORT, subscribe=ANY_PORT)
    broker = Running(lambda reactor: run_broker(anywhere, reactor, tell))
    stack.callback(broker.stop)
    assert ready.wait(DEADLINE_S), broker.error
    return Rig(BrokerPlan(taken["directory"], taken["publish"], taken["subscribe"]), stack)


def rig_for_a_test(folder: Path, monkeypatch: Any) -> Iterator[Rig]:
    """The body of a fixture."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    with ExitStack() as stack:
        yield start_rig(stack)
