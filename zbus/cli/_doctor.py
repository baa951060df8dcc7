"""`zbus doctor`"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import click

from zbus.cli._options import broker_options, json_option
from zbus.config import BrokerPlan, GatewayPlan, Rig
from zbus.errors import EXIT_FAILURE, KeyRefused, KeysError, ZbusError
from zbus.nodes import is_free

OPEN_FILES_MIN = 1_024
SHM_MIN_BYTES = 256 * 1024 * 1024

_CORE = ("pyzmq", "msgpack", "numpy", "opencv-python-headless", "scipy", "click")
_GATEWAY = ("fastapi", "uvicorn", "websockets")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `verdict` is ok, note or bad; `mend` says what to do about it."""

    what: str
    verdict: str
    told: str
    mend: str = ""


@click.command()
@broker_options
@json_option
def doctor(rig: Rig, broker: BrokerPlan, as_json: bool) -> None:
    """Check this machine, its cameras, ports and the broker; say what to mend, change nothing."""
    findings = list(_examine(broker))
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            _show(finding)
    if any(finding.verdict == "bad" for finding in findings):
        sys.exit(EXIT_FAILURE)


def _examine(broker: BrokerPlan) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield _zeromq()
    yield _open_files()
    yield _shared_memory()
    yield from _cameras()
    yield _display()
    yield from _bus(broker)


def _packages() -> Iterator[Finding]:
    for name in _CORE:
        found = _version(name)
        # Why: the desktop build of OpenCV serves as well, where somebody has it.
        if not found and name.startswith("opencv"):
            found = _version("opencv-python") or _version("opencv-contrib-python")
        yield (
            Finding(name, "ok", found)
            if found
            else Finding(name, "bad", "is not installed", f"pip install {name}")
        )
    missing = [name for name in _GATEWAY if find_spec(name) is None]
    if missing:
        yield Finding(
            "gateway",
            "note",
            f"no live page: {', '.join(missing)} missing",
            "pip install 'zbus-rig[gateway]'",
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _zeromq() -> Finding:
    from zbus.transport import zeromq_features

    found, has_curve = zeromq_features()
    if not has_curve:
        return Finding(
            "libzmq", "note", f"{found} without CURVE: nothing can be locked", "pip install --upgrade pyzmq"
        )
    return Finding("libzmq", "ok", f"{found} with CURVE")


def _open_files() -> Finding:
    try:
        import resource
    except ImportError:
        return Finding("open files", "note", "this system tells no limit")
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < OPEN_FILES_MIN:
        return Finding("open files", "bad", f"at most {limit}", "raise it: ulimit -n 65536")
    return Finding("open files", "ok", f"at most {limit}")


def _shared_memory() -> Finding:
    place = Path("/dev/shm")  # noqa: S108  Why: looked at only.
    if not place.is_dir():
        return Finding("shared memory", "note", "this system has no /dev/shm; frames travel through sockets")
    free = shutil.disk_usage(place).free
    if free < SHM_MIN_BYTES:
        return Finding("shared memory", "note", f"{free >> 20} MiB free", "mount -o remount,size=2G /dev/shm")
    return Finding("shared memory", "ok", f"{free >> 20} MiB free")


def _cameras() -> Iterator[Finding]:
    from zbus.cameras import list_devices

    devices = list_devices()
    if not devices:
        mend = "plug one in, or try zbus camera sim; on Linux its user must be in the group video"
        yield Finding("cameras", "note", "no camera device is seen", mend)
    for device in devices:
        readable = os.access(device.path, os.R_OK)
        mend = "" if readable else "sudo usermod -aG video $USER, then log in again"
        yield Finding("camera", "ok" if readable else "bad", f"{device.path} {device.name}", mend)


def _display() -> Finding:
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return Finding(
            "display", "note", "none; the page in a browser shows everything, also from another machine"
        )
    return Finding("display", "ok", "there is one")


def _bus(broker: BrokerPlan) -> Iterator[Finding]:
    from zbus.transport import Requester, key_of

    try:
        with Requester(broker.directory, key=key_of(broker)) as requester:
            nodes = requester.request("nodes", timeout_s=1.0)["nodes"]
    except (KeyRefused, KeysError) as error:
        yield Finding("broker", "bad", error.cause, error.next_step)
        return
    except ZbusError:
        yield Finding(
            "broker",
            "note",
            f"none answers at {broker.directory}",
            "start one: zbus demo, or zbus up RIG.TOML",
        )
        yield from _ports(broker)
        return
    yield Finding("broker", "ok", f"{broker.directory} knows {len(nodes)} nodes")
    for node in nodes:
        if node["duplicate"]:
            yield Finding("node", "bad", f"{node['node']} is there twice", "give one of them another --id")


def _ports(broker: BrokerPlan) -> Iterator[Finding]:

    for endpoint in (broker.directory, broker.publish, broker.subscribe, GatewayPlan().bind):
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        if not port.isdigit() or is_free(host, int(port)):
            continue
        mend = f"see who has it: ss -ltnp 'sport = :{port}'; or zbus demo --ports auto"
        yield Finding("port", "note", f"{port} is taken by another program", mend)


_COLORS: dict[str, str] = {"ok": "green", "note": "yellow", "bad": "red"}


def _show(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:<5}", fg=_COLORS[finding.verdict])
    click.echo(f"{verdict} {finding.what:<24} {finding.told}")
    if finding.mend:
        click.echo(f"      {'':<24} try: {finding.mend}")
