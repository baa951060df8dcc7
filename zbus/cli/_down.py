"""`zbus down`"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import click

from zbus.cli._options import HOST
from zbus.config import host_part, load_rig
from zbus.errors import RequestTimeout, UnknownName, ZbusError
from zbus.nodes import find_supervisor, find_supervisors, has_left

STOP_TIMEOUT_S = 30.0
LOOK_PERIOD_S = 0.05


class _NoSuchRig(UnknownName):
    """None is up, or it is not clear which one is meant."""

    def __init__(self, cause: str, next_step: str) -> None:
        ZbusError.__init__(self, cause, next_step=next_step)


@click.command()
@click.argument("rig_path", required=False, type=click.Path(path_type=Path), metavar="[RIG.TOML]")
@click.option("--host", **HOST)
def down(rig_path: Path | None, host: str | None) -> None:
    """Stop the rig of a rig file, or the only one that is up, and wait until it is down."""
    status = _choose(rig_path, host)
    with contextlib.suppress(ProcessLookupError):
        os.kill(status["pid"], signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while not has_left(status):
        if time.monotonic() > deadline_s:
            step = f"see what it does: zbus ps; end it by force: kill -9 {status['pid']}"
            raise RequestTimeout(f"{status['rig']} is still up after {STOP_TIMEOUT_S:g} s", next_step=step)
        time.sleep(LOOK_PERIOD_S)
    click.echo(f"{status['rig']} is down")


def _choose(rig_path: Path | None, host: str | None) -> dict[str, Any]:
    if rig_path:
        rig = host_part(load_rig(rig_path), host, verb=f"zbus down {rig_path}")
        status = find_supervisor(rig.broker)
        if status is None:
            raise UnknownName("running rig", rig.name, _names(), next_step=f"zbus up {rig_path}")
        return status
    running = find_supervisors()
    if not running:
        raise _NoSuchRig("no rig is up on this machine", "start one: zbus demo, or zbus up RIG.TOML")
    if len(running) > 1:
        names = ", ".join(_names())
        raise _NoSuchRig(f"several rigs are up: {names}", "name the one to stop: zbus down RIG.TOML")
    return running[0]


def _names() -> list[str]:
    return [status["rig"] for status in find_supervisors()]
