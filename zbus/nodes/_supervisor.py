"""The supervisor: starts the processes of a rig, starts again what dies, and stops all in order."""

from __future__ import annotations

import itertools
import json
import logging
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan, Rig
from zbus.errors import AddressInUse, ZbusError
from zbus.nodes._child import Child, ChildPlan, describe_exit
from zbus.nodes._folder import rig_folder
from zbus.nodes._presence import Presence, Report
from zbus.transport import IpcName, Reactor, Resource
from zbus.wire import DEGRADED, RUNNING

NODE = "supervisor"
CHECK_PERIOD_S = 0.1
STOP_TIMEOUT_S = 5.0
STATUS_FILE = "supervisor.json"

log = logging.getLogger(__name__)


def plan_children(rig: Rig, path: Path) -> list[ChildPlan]:
    """The processes of a rig, whose file is at `path`."""
    source = ["--rig", str(path)]
    plans = [ChildPlan("directory", "broker", ["broker", "--quiet", *source], 0)]
    plans += [ChildPlan(name, "camera", ["camera", *source, "--id", name], 1) for name in rig.cameras]
    plans += [ChildPlan(name, "tracker", ["track", *source, "--id", name], 2) for name in rig.trackers]
    if rig.overlay:
        plans.append(ChildPlan("overlay", "overlay", ["overlay", *source], 2))
    if rig.gateway:
        plans.append(ChildPlan("gateway", "gateway", ["gateway", *source], 3))
    return plans


class Supervisor(Resource):
    """Keeps the processes of one rig running, in `with`, as long as `reactor` runs.

    One supervisor per rig and machine: a second raises ZbusError naming the first. Where it is killed, its
    children end by themselves.
    """

    def __init__(self, rig: Rig, plans: Sequence[ChildPlan], reactor: Reactor) -> None:
        self._rig, self._reactor = rig, reactor
        self._folder = rig_folder(rig.broker)
        self._name = IpcName(self._folder, NODE)
        self._plans = sorted(plans, key=lambda plan: plan.rank)
        self._presence = Presence(NODE, NODE, rig.broker, reactor, self._report)
        self._lifeline: tuple[int, int] | None = None
        self.children: list[Child] = []

    def open(self) -> None:
        """Start every process. Raises ZbusError where this rig is up already."""
        try:
            self._name.acquire()
        except AddressInUse as error:
            raise ZbusError(
                f"a rig with its directory at {self._rig.broker.directory} is up already on this machine",
                next_step="zbus ps shows it, zbus down ends it",
            ) from error
        self._lifeline = os.pipe()
        self.children = [Child(plan, self._lifeline[0]) for plan in self._plans]
        try:
            for child in self.children:
                child.start()
            self._presence.open()
        except BaseException:
            self.close()
            raise
        self._reactor.every(CHECK_PERIOD_S, self._check)
        self._presence.enter(RUNNING)
        self._write_status()

    def close(self) -> None:
        """Stop every process, those that depend on others first, and kill what does not stop in time."""
        for _, group in itertools.groupby(reversed(self.children), key=lambda child: child.plan.rank):
            self._stop(list(group))
        self._presence.close()
        for end in self._lifeline or ():
            os.close(end)
        self._lifeline = None
        (self._folder / STATUS_FILE).unlink(missing_ok=True)
        self._name.release()

    def _stop(self, children: Iterable[Child]) -> None:
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(deadline_s)

    def _check(self) -> None:
        for child in self.children:
            happened = child.check()
            if happened:
                self._tell(child, happened)
        missing = [child.plan.node for child in self.children if not child.running]
        if missing:
            self._presence.enter(DEGRADED, f"not running: {', '.join(missing)}")
        else:
            self._presence.enter(RUNNING)
        self._write_status()

    def _tell(self, child: Child, happened: str) -> None:
        told = {"node": child.plan.node, "pid": child.pid, "restarts": child.restarts}
        if happened == "ended":
            cause = describe_exit(child.exit_code)
            log.warning("%s ended (%s); again in %.1f s", child.plan.node, cause, child.back_off_s)
            told |= {"cause": cause, "back_off_s": round(child.back_off_s, 2)}
        else:
            log.info("%s is started again, process %d", child.plan.node, child.pid)
        self._presence.tell(f"node_{happened}", told)

    def _report(self) -> Report:
        return Report(
            counters={"restarts": sum(child.restarts for child in self.children)},
            details={"rig": self._rig.name, "children": [child.to_map() for child in self.children]},
        )

    def _write_status(self) -> None:
        """For `zbus ps`, which must answer even when the broker does not."""
        status = {
            "pid": os.getpid(),
            "rig": self._rig.name,
            "directory": self._rig.broker.directory,
            "children": [child.to_map() for child in self.children],
        }
        draft = self._folder / f"{STATUS_FILE}.new"
        draft.write_text(json.dumps(status), encoding="utf-8")
        draft.replace(self._folder / STATUS_FILE)


def find_supervisor(broker: BrokerPlan) -> dict[str, Any] | None:
    """The status of the supervisor of the rig at this address, None where none runs."""
    return read_status(rig_folder(broker))


def find_supervisors() -> list[dict[str, Any]]:
    """The status of every supervisor of this user on this machine."""
    folders = rig_folder(BrokerPlan()).parent.iterdir()
    return [status for folder in sorted(folders) if (status := read_status(folder)) is not None]


def read_status(folder: Path) -> dict[str, Any] | None:
    """The status kept in a rig's folder, None where its supervisor is gone."""
    try:
        status = json.loads((folder / STATUS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return status if IpcName(folder, NODE).is_held() else None
