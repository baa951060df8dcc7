"""A crowd around one camera: the honest get every frame, whatever a few among them do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from rig_process import DEADLINE_S, ZbusProcess, runtime_folder

from zbus.cli._demo_rig import choose_ports
from zbus.config import BrokerPlan, Rig
from zbus.errors import ZbusError
from zbus.transport import Requester

pytestmark = pytest.mark.fault

HONEST, PER_PROCESS = 50, 10
FPS, WIDTH, HEIGHT = 30.0, 640, 480
WARM_UP_FRAMES, HOSTILE_FRAMES = 45, 150
GROWTH_MAX_BYTES = 10_000_000
# Else they would have been no trouble at all.
TURNS_MIN = 100
CAM = "cam1"


@contextmanager
def program(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """One of the programs of this folder; it ends with its input."""
    path = str(Path(__file__).with_name(name))
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, path, *arguments], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class Camera:
    """A broker and a simulated camera, each a real process."""

    def __init__(self, ends: ExitStack) -> None:
        folder = ends.enter_context(runtime_folder())
        self.broker = choose_ports(Rig("crowd", broker=BrokerPlan())).broker
        places = ["--directory", self.broker.directory, "--publish", self.broker.publish]
        places += ["--subscribe", self.broker.subscribe]
        ends.enter_context(ZbusProcess("broker", *places, folder=folder))
        shape = ["--width", str(WIDTH), "--height", str(HEIGHT), "--fps", str(FPS)]
        self.run = ends.enter_context(
            ZbusProcess("camera", "sim", "--id", CAM, *places, *shape, folder=folder)
        )
        self.requester = ends.enter_context(Requester(self.broker.directory))

    def wait_for_endpoint(self) -> str:
        """Where its frames are had directly."""
        found: list[str] = []

        def is_there() -> bool:
            try:
                told = self.requester.request("find", {"topic": f"frame/{CAM}/"}, timeout_s=1.0)
            except ZbusError:
                return False
            found[:] = [end for each in told["publishers"] for end in each["endpoints"] if "ipc" in end]
            return bool(found)

        self.run.wait_for(is_there)
        return found[0]

    def counters(self) -> dict[str, Any]:
        return self.requester.request("status", target=CAM, timeout_s=DEADLINE_S)["counters"]

    def wait_for_frames(self, count: int) -> None:
        """Until it has grabbed so many more."""
        until = self.counters()["grabbed"] + count
        while self.counters()["grabbed"] < until:
            time.sleep(0.1)

    def own_bytes(self) -> int:
        """Its memory, without pages that it shares with others."""
        memory = psutil.Process(self.run.process.pid).memory_info()
        return memory.rss - memory.shared


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def end(foe: subprocess.Popen[str]) -> int:
    """Have it end; returns how often it did what it does."""
    assert foe.stdin is not None
    foe.stdin.close()
    return int(first_line(foe))


def tell(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What a process of honest subscribers has got."""
    assert process.stdin is not None
    process.stdin.write("tell\n")
    process.stdin.flush()
    return json.loads(first_line(process))


def test_the_honest_get_every_frame_beside_the_frozen_the_flooding_and_the_garbage() -> None:
    with ExitStack() as ends:
        camera = Camera(ends)
        endpoint = camera.wait_for_endpoint()
        broker = camera.broker
        start = [endpoint, f"frame/{CAM}/", str(PER_PROCESS)]
        crowd = [ends.enter_context(program("crowd_member.py", *start)) for _ in range(HONEST // PER_PROCESS)]
        assert [first_line(process) for process in crowd] == ["ready\n"] * len(crowd)
        ends.enter_context(program("crowd_foe.py", "deaf", endpoint, broker.subscribe))
        frozen = ends.enter_context(program("crowd_foe.py", "sleepy", endpoint))
        assert first_line(frozen) == "ready\n"
        psutil.Process(frozen.pid).suspend()
        camera.wait_for_frames(WARM_UP_FRAMES)
        before_bytes = camera.own_bytes()

        ports = [broker.directory, broker.publish, broker.subscribe, endpoint]
        flood = ends.enter_context(
            program("crowd_foe.py", "flood", broker.publish, broker.subscribe, endpoint)
        )
        garbage = ends.enter_context(program("crowd_foe.py", "garbage", *ports))
        camera.wait_for_frames(HOSTILE_FRAMES)

        after_bytes = camera.own_bytes()
        turns = [end(foe) for foe in (flood, garbage)]
        assert min(turns) >= TURNS_MIN
        assert all(map(reads_the_ring, crowd))
        ledgers = [ledger for process in crowd for ledger in tell(process)]
        assert len(ledgers) == HONEST
        assert [ledger for ledger in ledgers if not got_every_frame(ledger)] == []
        assert min(ledger["last"] - ledger["first"] for ledger in ledgers) >= HOSTILE_FRAMES / 2
        assert after_bytes - before_bytes <= GROWTH_MAX_BYTES


def reads_the_ring(process: subprocess.Popen[str]) -> bool:
    """True where it has the camera's shared memory before it: so many could not each have a copy sent."""
    return any(f"/zbus.{CAM}." in each.path for each in psutil.Process(process.pid).memory_maps())


def got_every_frame(ledger: dict[str, Any]) -> bool:
    losses = ("gaps", "lost", "skipped", "overruns", "stale", "restarts", "missing")
    return not any(ledger[each] for each in losses) and ledger["refused"] == {}
