"""What a person may copy from the README is run here as it stands."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running_edge import free_edge

from zbus.config import RigFile
from zbus.nodes import free_ports
from zbus.transport import Publisher
from zbus.wire import Topic, Tracks, TracksMessage

README = Path(__file__).parents[2] / "README.md"
LINES = 40
NO_TRACKS = TracksMessage(
    "cam1",
    0,
    0,
    0,
    Tracks(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 4)), np.empty(0), np.empty(0, np.int64), ()),
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def endpoints() -> Iterator[dict[str, str]]:
    demo = subprocess.Popen(
        [sys.executable, "-m", "zbus", "demo", "--ports", "auto", "--json", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout is not None
        yield json.loads(demo.stdout.readline())["endpoints"]
    finally:
        demo.terminate()
        demo.communicate(timeout=30)


def at(endpoints: dict[str, str], code: str) -> str:
    """The script at this demo's ports in place of the standard ones."""
    code = code.replace("tcp://127.0.0.1:5552", endpoints["subscribe"])
    return code.replace("tcp://127.0.0.1:5556", endpoints["overlay"])


def read_lines(code: str, wanted: set[str]) -> list[str]:
    """Run a script that never ends until it has printed every wanted word at the start of a line."""
    script = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    try:
        assert script.stdout is not None
        while wanted - {line.split()[0] for line in lines} and len(lines) < LINES:
            line = script.stdout.readline()
            assert line, "the script ended"
            lines.append(line)
    finally:
        script.kill()
        script.communicate()
    return lines


def test_the_subscriber_prints_frames_and_tracks(endpoints: dict[str, str]) -> None:
    lines = read_lines(at(endpoints, blocks("python")[0]), {"frame", "tracks"})
    assert any(line.startswith("frame") and "(480, 640)" in line for line in lines)
    assert any(line.startswith("tracks") and "1: [" in line for line in lines)


def test_the_pushed_box_comes_back(endpoints: dict[str, str]) -> None:
    from zbus.transport import Subscriber
    from zbus.wire import OverlaySet

    with Subscriber(endpoints["subscribe"], "overlay/arena/", policy="every") as overlays:
        subprocess.run([sys.executable, "-c", at(endpoints, blocks("python")[1])], check=True, timeout=30)
        received = overlays.recv(10)
        assert received is not None
        assert isinstance(received.body, OverlaySet)
        assert [shape.label for shape in received.body.shapes] == ["nest"]


def test_the_script_with_a_key_hears_the_rig(tmp_path: Path) -> None:
    zbus = [sys.executable, "-m", "zbus"]
    new = [*zbus, "keys", "new", "laptop", "--keys", str(tmp_path)]
    subprocess.run(new, check=True, timeout=30, stdout=subprocess.DEVNULL)
    edge, ports = free_edge(), free_ports(3)
    addresses = [f"tcp://127.0.0.1:{port}" for port in ports]
    options = itertools.chain(*zip(("--directory", "--publish", "--subscribe"), addresses, strict=True))
    code = blocks("python")[2].replace("tcp://RIG:5562", edge.places[2]) + "\nprint(topic)"
    broker = subprocess.Popen(
        [*zbus, "broker", "--bind", edge.bind, "--keys", str(tmp_path), "--quiet", *options]
    )
    script = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        with Publisher("tracker", connect=[addresses[1]]) as publisher:
            deadline_s = time.monotonic() + 20
            while script.poll() is None and time.monotonic() < deadline_s:
                publisher.send(Topic("tracks", "tracker"), NO_TRACKS)
                time.sleep(0.02)
        assert script.communicate(timeout=1)[0] == "b'tracks/tracker/'\n"
    finally:
        script.kill()
        script.communicate()
        broker.terminate()
        broker.communicate(timeout=30)


def test_the_rig_file_of_two_hosts_is_one(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(blocks("toml")[1], encoding="utf-8")
    rig = RigFile(path).load()
    assert list(rig.hosts) == ["left", "right"]
    assert (rig.cameras["top"].host, rig.trackers["top-tracks"].host) == ("left", "right")


def test_the_rig_file_is_a_rig_file(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(blocks("toml")[0], encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))
    rig = RigFile(path).load()
    assert set(rig.cameras) == {"top", "side"}
    assert rig.overlay is not None
    assert rig.gateway is not None
