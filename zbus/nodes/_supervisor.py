"""The supervisor: starts the processes of a rig, starts again what dies, and stops all in order."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from zbus.config import Rig
from zbus.errors import EXIT_CONFIG, EXIT_USAGE, AddressInUse, NodeFailed, ZbusError
from zbus.nodes._addresses import taken_addresses
from zbus.nodes._child import Child, ChildPlan
from zbus.nodes._folder import rig_folder
from zbus.nodes._presence import Presence, Report
from zbus.nodes._status import SUPERVISOR, StatusFile, is_alive, is_up, take_leftover
from zbus.transport import IpcName, Reactor, Resource, sweep_rings
from zbus.wire import DEGRADED, RUNNING

CHECK_PERIOD_S = 0.1
STOP_TIMEOUT_S = 5.0
# How long the processes of a supervisor that was killed may take to end, and a look at our name to pass.
ORPHANS_TIMEOUT_S, NAME_TIMEOUT_S = 8.0, 1.0
LOOK_PERIOD_S = 0.02
# What waiting does not heal.
HOPELESS = (EXIT_USAGE, EXIT_CONFIG)
# Why so short: with the time that it takes to start, it is there again within two seconds.
EDGE_BACK_OFF_MAX_S = 0.5
BROKER_RANK, CAMERA_RANK, WORKER_RANK, GATEWAY_RANK = range(4)

log = logging.getLogger(__name__)


def plan_children(rig: Rig, path: Path) -> list[ChildPlan]:
    """The processes of a rig, or of one host's part of it (`host_part`), whose file is at `path`."""
    source = ["--rig", str(path), *(["--host", rig.host] if rig.host else [])]
    plans = [ChildPlan("directory", "broker", ["broker", "--quiet", *source], BROKER_RANK)]
    if len(rig.hosts) > 1:
        plans.append(ChildPlan(f"relay.{rig.host}", "relay", ["relay", *source], BROKER_RANK))
    for name in rig.cameras:
        plans.append(ChildPlan(name, "camera", ["camera", *source, "--id", name], CAMERA_RANK))
    for name in rig.trackers:
        plans.append(ChildPlan(name, "tracker", ["track", *source, "--id", name], WORKER_RANK))
    if rig.overlay:
        plans.append(ChildPlan("overlay", "overlay", ["overlay", *source], WORKER_RANK))
    if rig.gateway:
        plans.append(ChildPlan("gateway", "gateway", ["gateway", *source], GATEWAY_RANK))
    if rig.edge:
        plans.append(plan_edge(source))
    return plans


def plan_edge(arguments: Sequence[str]) -> ChildPlan:
    """The edge's process, which strangers may end, and which is there again within two seconds."""
    return ChildPlan("edge", "edge", ["edge", *arguments], GATEWAY_RANK, back_off_max_s=EDGE_BACK_OFF_MAX_S)


class Supervisor(Resource):
    """Keeps the processes of one rig running, in `with`, as long as `reactor` runs.

    One supervisor per rig and machine: a second raises ZbusError naming the first. Where it is killed, its
    children end by themselves. A process that ends at its first start with an error that waiting does not
    heal ends the loop: `run` of the reactor raises NodeFailed with that process's own words.
    """

    def __init__(self, rig: Rig, plans: Sequence[ChildPlan], reactor: Reactor) -> None:
        self._rig, self._reactor = rig, reactor
        self.children = [Child(plan) for plan in sorted(plans, key=lambda plan: plan.rank)]
        # Why: the hosts of a rig see each other's nodes, and each has a supervisor.
        node = f"{SUPERVISOR}.{rig.host}" if rig.host else SUPERVISOR
        self._presence = Presence(node, SUPERVISOR, rig.broker, reactor, self._report)
        self._told: dict[str, str] = {}
        self._undo = ExitStack()

    def open(self) -> None:
        """Start every process. Raises ZbusError where this rig is up already, AddressInUse."""
        folder = rig_folder(self._rig.broker)
        with ExitStack() as undo:
            self._take_name(IpcName(folder, SUPERVISOR), undo)
            self._wait_for_orphans(take_leftover(folder))
            self._refuse_taken_addresses()
            self._status = StatusFile(folder, self._rig, self.children)
            undo.callback(self._status.remove)
            self._presence.open()
            undo.callback(self._presence.close)
            # Why at the end too: a camera that had to be killed leaves its pictures in memory.
            undo.callback(sweep_rings)
            undo.callback(self._stop_all)
            for child in self.children:
                child.start()
            self._status.write()
            undo.callback(self._reactor.every(CHECK_PERIOD_S, self._check).cancel)
            self._presence.enter(RUNNING)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Stop every process, sources first and the broker last, and kill what does not stop in time."""
        self._undo.close()

    @property
    def failure(self) -> NodeFailed | None:
        """Why one of the processes ended by itself and is not there now; None where all run."""
        failures = (child.failure for child in self.children if not child.running)
        return next(filter(None, failures), None)

    def _take_name(self, name: IpcName, undo: ExitStack) -> None:
        deadline_s = time.monotonic() + NAME_TIMEOUT_S
        while True:
            try:
                name.acquire()
                undo.callback(name.release)
                return
            except AddressInUse as error:
                # Why not at once: `zbus ps` holds the name while it looks, and one that ends a moment longer
                # than its status.
                if is_up(self._rig.broker) or time.monotonic() > deadline_s:
                    raise ZbusError(
                        f"a rig with its directory at {self._rig.broker.directory} is up already here",
                        next_step="zbus ps shows it, zbus down ends it",
                    ) from error
                self._reactor.run_once(LOOK_PERIOD_S)

    def _wait_for_orphans(self, pids: Sequence[int]) -> None:
        """Where the last supervisor was killed, its processes are just ending."""
        deadline_s = time.monotonic() + ORPHANS_TIMEOUT_S
        while any(map(is_alive, pids)) and time.monotonic() < deadline_s and not self._reactor.stopping:
            self._reactor.run_once(LOOK_PERIOD_S)

    def _refuse_taken_addresses(self) -> None:
        for address in taken_addresses(self._rig):
            port = address.rpartition(":")[2]
            step = f"see who has it: ss -ltnp 'sport = :{port}'; or choose another port in the rig file"
            raise AddressInUse(address, next_step=step)

    def _stop_all(self) -> None:
        # Why the sources first and the broker last: what they have sent is still taken by the others.
        order = sorted(self.children, key=lambda child: (child.plan.rank == BROKER_RANK, child.plan.rank))
        for _, group in itertools.groupby(order, key=lambda child: child.plan.rank):
            self._stop(list(group))

    def _stop(self, children: Iterable[Child]) -> None:
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(deadline_s)

    def _check(self) -> None:
        happened = {child: child.check() for child in self.children}
        for child, what in happened.items():
            if what:
                self._tell(child, what)
        missing = [child.plan.node for child in self.children if not child.settled]
        self._presence.enter(DEGRADED if missing else RUNNING, _describe(missing))
        self._status.refresh(at_once=any(happened.values()))
        self._give_up_the_hopeless()

    def _tell(self, child: Child, happened: str) -> None:
        told = {"node": child.plan.node, "pid": child.last_pid, "restarts": child.restarts}
        if happened == "ended":
            cause = child.describe_end()
            self._log_end(child, cause)
            told |= {"cause": cause, "back_off_s": round(child.back_off_s, 2)}
        else:
            log.info("%s is started again, process %d", child.plan.node, child.pid)
        self._presence.tell(f"node_{happened}", told)

    def _log_end(self, child: Child, cause: str) -> None:
        # Why: a camera that is not there ends again and again, and says the same each time.
        is_new = self._told.get(child.plan.node) != cause
        self._told[child.plan.node] = cause
        step = child.failure.next_step if child.failure else ""
        level = logging.WARNING if is_new else logging.INFO
        advice = f"\n  try: {step}" if is_new and step else ""
        log.log(level, "%s ended (%s); again in %.1f s%s", child.plan.node, cause, child.back_off_s, advice)

    def _give_up_the_hopeless(self) -> None:
        for child in self.children:
            if not child.running and not child.restarts and child.exit_code in HOPELESS and child.failure:
                raise child.failure

    def _report(self) -> Report:
        return Report(
            counters={"restarts": sum(child.restarts for child in self.children)},
            details={"rig": self._rig.name, "children": [child.to_map() for child in self.children]},
        )


def _describe(missing: Sequence[str]) -> str:
    return f"not running: {', '.join(missing)}" if missing else ""
