"""Another computer at a rig, as a person does it: a key is made, carried, and opens zbus and plain pyzmq."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from rig_process import ZbusProcess, run_zbus, runtime_folder
from running_edge import free_edge

SPEC = Path(__file__).parents[2] / "zbus" / "spec" / "README.md"


@pytest.fixture
def folder():
    with runtime_folder() as folder:
        yield folder


def stranger(key: Path, endpoint: str) -> str:
    """What the spec gives to who has no zbus, at this rig."""
    blocks = re.findall(r"```python\n(.*?)```", SPEC.read_text(encoding="utf-8"), re.DOTALL)
    (script,) = [block for block in blocks if "laptop.key" in block]
    script = script.replace("tcp://rig:5562", endpoint) + 'print(msgpack.unpackb(header)["role"])'
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=key.parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_a_key_opens_a_broker_for_zbus_and_for_plain_pyzmq(folder: Path) -> None:
    keys = ["--keys", str(folder / "keys")]
    edge = free_edge()
    inside = [
        word
        for name in ("directory", "publish", "subscribe")
        for word in (f"--{name}", f"tcp://127.0.0.1:{free_edge().bind.rpartition(':')[2]}")
    ]
    broker = ["broker", *inside, "--beacon", "none", "--bind", edge.bind, "--json", *keys]
    refused = run_zbus(*broker, folder=folder)
    assert refused.returncode == 3
    assert "zbus keys new" in json.loads(refused.stdout)["error"]["next_step"]

    assert run_zbus("keys", "new", "laptop", *keys, folder=folder).returncode == 0
    key = folder / "keys" / "laptop.key"
    with ZbusProcess(*broker, folder=folder) as process:
        assert process.first_line()["endpoints"]["edge"] == edge.bind
        there = ["--directory", edge.bind, "--key", str(key)]
        process.wait_for(lambda: run_zbus("ls", *there, "--json", folder=folder).returncode == 0)
        assert stranger(key, edge.places[2]).strip() in ("broker", "edge")

        locked = run_zbus("ls", "--directory", edge.bind, "--json", folder=folder)
        assert json.loads(locked.stdout)["error"]["code"] == "key_refused"

        (child,) = process.children()
        child.kill()
        psutil.wait_procs([child], timeout=20)
        process.wait_for(lambda: [each.pid for each in process.children()] not in ([], [child.pid]))
        process.wait_for(lambda: run_zbus("ls", *there, "--json", folder=folder).returncode == 0)

        carried = folder / "carried.key"
        carried.write_bytes(key.read_bytes())
        carried.chmod(0o600)
        assert run_zbus("keys", "revoke", "laptop", *keys, folder=folder).returncode == 0
        gone = run_zbus("ls", "--directory", edge.bind, "--key", str(carried), "--json", folder=folder)
        told = json.loads(gone.stdout)["error"]
        assert (told["code"], "was refused" in told["cause"]) == ("key_refused", True)
