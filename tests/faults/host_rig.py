"""A rig of two hosts: camera on the left, tracker and page on the right, and listeners on both."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from impaired_link import ImpairedLink
from rig_process import COMMAND, DEADLINE_S, ZbusProcess
from two_hosts import Host

DIRECTORY, SUBSCRIBE = "tcp://127.0.0.1:5550", "tcp://127.0.0.1:5552"
RELAY_PORT, PAGE = 5553, "127.0.0.1:8080"
CAM, TRACKER = "arena", "tracker"
FRAME = f"frame/{CAM}/"

RIG = f"""
[rig]
name = "lab"
reference = "left"
keys = "keys"

[hosts.left]
address = "10.77.0.1"

[hosts.right]
address = "10.77.0.2"

[cameras.{CAM}]
source = "sim"
host = "left"
settings = {{animals = 3, width = 640, height = 480, fps = 30.0}}

[trackers.{TRACKER}]
camera = "{CAM}"
host = "right"
settings = {{animals = 3}}

[gateway]
bind = "{PAGE}"
host = "right"
"""


class HostListener:
    """A listener's process on a host, and what it has written down so far."""

    def __init__(self, host: Host, topics: Sequence[str], **wanted: Any) -> None:
        self.host, self.topics = host, topics
        self._wanted = {"topics": list(topics), "subscribe": SUBSCRIBE, "directory": DIRECTORY}
        self._wanted |= {"host": host.name, **wanted}
        self.lines: list[dict[str, Any]] = []

    def __enter__(self) -> HostListener:
        path = str(Path(__file__).with_name("host_listener.py"))
        pipe = subprocess.PIPE
        self._process = self.host.start(
            sys.executable, path, json.dumps(self._wanted), stdin=pipe, stdout=pipe
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join(DEADLINE_S)
        self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if "seq" in line]

    def frames(self, since_ns: int = 0) -> list[dict[str, Any]]:
        return [line for line in self.messages if "age_s" in line and line["at_ns"] > since_ns]

    def events(self, name: str, since_ns: int = 0) -> list[dict[str, Any]]:
        return [line for line in self.messages if line.get("event") == name and line["at_ns"] > since_ns]

    def unaccounted(self) -> int:
        """Frames between the first and the last of each session that were neither handed over nor counted."""
        counted, frames = self._ask_for_ledger()
        seqs: dict[str, list[int]] = {}
        for frame in frames:
            seqs.setdefault(frame["session"], []).append(frame["seq"])
        sent = sum(each[-1] - each[0] + 1 for each in seqs.values())
        return sent - len(frames) - sum(counted[each] for each in ("lost", "skipped", "stale", "overruns"))

    def _ask_for_ledger(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Its counters now, and the frames that it had been handed by then."""
        told = len(self.lines)
        self._process.stdin.write("tell\n")
        self._process.stdin.flush()
        deadline_s = time.monotonic() + DEADLINE_S
        while not any("ledger" in line for line in self.lines[told:]):
            assert time.monotonic() < deadline_s, "the listener does not answer"
            time.sleep(0.02)
        at = next(at for at in range(told, len(self.lines)) if "ledger" in self.lines[at])
        return self.lines[at]["ledger"], [line for line in self.lines[:at] if "age_s" in line]


class TwoHostRig:
    """Both parts of the rig, up, and who listens to it.

    On the right `newest` finds the camera as a tracker does and wants the newest of its frames, `every` is at
    the forwarder and wants all; `tracks` come back to the left; `events` are those of either host.
    """

    def __init__(self, left: Host, right: Host, link: ImpairedLink) -> None:
        self.left, self.right, self.link = left, right, link
        self.parts: dict[str, ZbusProcess] = {}
        self.newest = HostListener(right, [FRAME], camera=CAM, policy="latest")
        self.every = HostListener(right, [FRAME])
        self.tracks = HostListener(left, [f"tracks/{TRACKER}/"])
        self.events = {host.name: HostListener(host, ["event/", "state/"]) for host in (left, right)}

    @property
    def listeners(self) -> list[HostListener]:
        return [self.newest, self.every, self.tracks, *self.events.values()]

    def kill(self, host: Host, node: str) -> None:
        """SIGKILL the process of a node."""
        (path,) = (host.folder / "zbus").glob("*/supervisor.json")
        (child,) = (each for each in json.loads(path.read_text())["children"] if each["node"] == node)
        os.kill(child["pid"], signal.SIGKILL)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until it holds; fails with what both parts have said."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            said = [f"{name}: {part.stdout}\n{part.stderr}" for name, part in self.parts.items()]
            assert time.monotonic() < deadline_s, "\n".join([what, *said])
            time.sleep(0.02)


def run_zbus(host: Host, *arguments: str) -> str:
    return host.run(*COMMAND, *arguments).stdout


def give_files(left: Host, right: Host) -> list[Path]:
    """The rig file and its keys for either host; made on one, and carried to the other by hand."""
    paths = [host.folder / "rig.toml" for host in (left, right)]
    for path in paths:
        path.write_text(RIG, encoding="utf-8")
    run_zbus(left, "keys", "new", "--rig", str(paths[0]))
    shutil.copytree(left.folder / "keys", right.folder / "keys")
    return paths


@contextmanager
def two_host_rig(hosts: tuple[Host, Host, ImpairedLink]) -> Iterator[TwoHostRig]:
    """The rig by one file, each host with its own copy of it and of the keys."""
    left, right, link = hosts
    rig = TwoHostRig(left, right, link)
    with ExitStack() as ends:
        paths = give_files(left, right)
        for host, path in zip((left, right), paths, strict=True):
            rig.parts[host.name] = ends.enter_context(host.zbus("up", str(path), "--host", host.name))
        for listener in rig.listeners:
            ends.enter_context(listener)
        for listener in rig.listeners:
            rig.until(lambda each=listener: each.messages, f"nothing is heard of {listener.topics}")
        yield rig
