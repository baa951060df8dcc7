"""A node's presence on the bus: announced, heard each second, and open to questions."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zbus.config import BrokerPlan
from zbus.transport import ControlLink, Publisher, Reactor, Resource, Verb
from zbus.wire import EVENT, RUNNING, STARTING, STATE, STOPPED, Event, Reply, State, Topic

ANNOUNCE_PERIOD_S = 0.5
STATE_PERIOD_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a node tells of itself, besides its state: see spec 6."""

    publishes: list[str] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    counters: Mapping[str, int | float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Presence(Resource):
    """Announces a node to the directory, publishes its state and events, and answers its control verbs.

    Every node answers `status` and `stop`; `verbs` are those of its role. `report` is asked for the present
    figures. Acquires in `with`, after which the state is `starting`; on leaving it tells `stopped`.
    """

    def __init__(
        self,
        node: str,
        role: str,
        broker: BrokerPlan,
        reactor: Reactor,
        report: Callable[[], Report],
        verbs: Mapping[str, Verb] | None = None,
    ) -> None:
        self.node, self.role = node, role
        self.state, self.cause = STARTING, ""
        self._since_ns = time.time_ns()
        self._reactor, self._report = reactor, report
        all_verbs: dict[str, Verb] = {"status": self._status, "stop": self._stop, **(verbs or {})}
        self._link = ControlLink(node, broker.directory, all_verbs, self._on_reply)
        self.publisher = Publisher(node, connect=[broker.publish])
        self._warned = ""

    def open(self) -> None:
        """Connect to the broker, whether it is there yet or not. Raises TransportError for a bad address."""
        self.publisher.open()
        try:
            self._link.open()
        except BaseException:
            self.publisher.close()
            raise
        self._reactor.watch(self._link.socket, self._link.serve)
        self._reactor.every(ANNOUNCE_PERIOD_S, self._announce, first_s=0.0)
        self._reactor.every(STATE_PERIOD_S, self._tell_state, first_s=0.0)

    def close(self) -> None:
        """Say good-bye and disconnect."""
        self.enter(STOPPED)
        self._link.tell("leave", {"node": self.node, "session": self.publisher.session})
        self._link.close()
        self.publisher.close()

    def enter(self, state: str, cause: str = "") -> None:
        """Come into a state, and tell it at once where it is new."""
        if (state, cause) == (self.state, self.cause):
            return
        if state != self.state:
            self._since_ns = time.time_ns()
        self.state, self.cause = state, cause
        level = logging.INFO if state in (STARTING, RUNNING, STOPPED) else logging.WARNING
        log.log(level, "%s is %s%s", self.node, state, f": {cause}" if cause else "")
        self._tell_state()

    def tell(self, event: str, fields: Mapping[str, Any]) -> None:
        """Publish an event of this node."""
        self.publisher.send(Topic(EVENT, self.node), Event(event, fields))

    def _announce(self) -> None:
        report = self._report()
        args = {
            "node": self.node,
            "role": self.role,
            "session": self.publisher.session,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "publishes": [*report.publishes, str(Topic(STATE, self.node)), str(Topic(EVENT, self.node))],
            "endpoints": report.endpoints,
        }
        self._link.tell("announce", args)

    def _on_reply(self, reply: Reply) -> None:
        warning = "" if reply.ok else reply.cause
        if reply.result.get("duplicate"):
            warning = f"another node called {self.node!r} is on this bus; give one of them another name"
        if warning and warning != self._warned:
            log.warning("%s: %s", self.node, warning)
        self._warned = warning

    def _tell_state(self) -> None:
        self.publisher.send(Topic(STATE, self.node), self._now())

    def _now(self) -> State:
        report = self._report()
        return State(
            role=self.role,
            state=self.state,
            cause=self.cause,
            since_ns=self._since_ns,
            host=socket.gethostname(),
            pid=os.getpid(),
            counters=report.counters,
            settings=report.settings,
            details=report.details,
        )

    def _status(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._now().header()

    def _stop(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        # Why: the answer leaves first; a node that is gone cannot say that it is going.
        self._reactor.after(0.0, self._reactor.stop)
        return {}
