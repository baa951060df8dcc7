"""A node's presence on the bus: announced, heard each second, and open to questions."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from zbus.config import BrokerPlan
from zbus.errors import WireError
from zbus.nodes._rates import Rates
from zbus.transport import ControlLink, Publisher, Reactor, Resource, Verb, key_of
from zbus.wire import ENDED, EVENT, RUNNING, STARTING, STATE, STOPPED, Event, Reply, State, Topic

ANNOUNCE_PERIOD_S = 0.5
STATE_PERIOD_S = 1.0
# Until the directory has answered: a connection takes a moment, and what is told before is not sent.
FIRST_ANNOUNCE_PERIOD_S = 0.05
# The directory takes 64 topics of a node (spec 7); two are the node's state and events.
ANNOUNCED_MAX = 62

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a node tells of itself, besides its state: see spec 6.

    `offered` counts the messages of each topic that others than the presence's own publisher sent.
    """

    publishes: list[str] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    counters: Mapping[str, int | float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, int] = field(default_factory=dict)


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
        self.node, self.role, self._here = node, role, broker.here
        self.state, self.cause = STARTING, ""
        self._since_ns = time.time_ns()
        self._reactor, self._report = reactor, report
        all_verbs: dict[str, Verb] = {"status": self._status, "stop": self._stop, **(verbs or {})}
        key = key_of(broker)
        self._link = ControlLink(node, broker.directory, all_verbs, self._on_reply, key=key)
        self.publisher = Publisher(node, connect=[broker.publish], key=key)
        self._rates = Rates()
        self._undo = ExitStack()
        self._warned = ""
        self._is_too_large = False

    def open(self) -> None:
        """Connect to the broker, whether it is there yet or not. Raises TransportError for a bad address."""
        with ExitStack() as undo:
            undo.enter_context(self.publisher)
            undo.enter_context(self._link)
            self._reactor.watch(self._link.socket, self._link.serve)
            undo.callback(self._reactor.unwatch, self._link.socket)
            for period_s, beat in ((ANNOUNCE_PERIOD_S, self._announce), (STATE_PERIOD_S, self._tell_state)):
                undo.callback(self._reactor.every(period_s, beat, first_s=0.0).cancel)
            self._hurry = self._reactor.every(FIRST_ANNOUNCE_PERIOD_S, self._announce)
            undo.callback(self._hurry.cancel)
            undo.callback(self._say_good_bye)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Say good-bye and disconnect. Safe to call twice."""
        self._undo.close()

    @property
    def is_heard(self) -> bool:
        """True once the broker has connected, which always wants states; what others want comes with that."""
        return self.publisher.wants(Topic(STATE, self.node))

    def enter(self, state: str, cause: str = "") -> None:
        """Come into a state, and tell it at once where it is new."""
        if (state, cause) == (self.state, self.cause):
            return
        if state != self.state:
            self._since_ns = time.time_ns()
        self.state, self.cause = state, cause
        level = logging.INFO if state in (STARTING, RUNNING, ENDED, STOPPED) else logging.WARNING
        log.log(level, "%s is %s%s", self.node, state, f": {cause}" if cause else "")
        self._tell_state()

    def tell(self, event: str, fields: Mapping[str, Any]) -> None:
        """Publish an event of this node."""
        self.publisher.send(Topic(EVENT, self.node), Event(event, fields))

    def _announce(self) -> None:
        report = self._report()
        publishes = [
            *report.publishes[:ANNOUNCED_MAX],
            str(Topic(STATE, self.node)),
            str(Topic(EVENT, self.node)),
        ]
        rates = self._rates.observe({**self.publisher.offered, **report.offered}, time.monotonic_ns())
        args = {
            "node": self.node,
            "role": self.role,
            "session": self.publisher.session,
            "host": self._here,
            "pid": os.getpid(),
            "publishes": publishes,
            "endpoints": report.endpoints,
            "rates": {topic: rates[topic] for topic in publishes if topic in rates},
        }
        self._link.tell("announce", args)

    def _on_reply(self, reply: Reply) -> None:
        self._hurry.cancel()
        warning = "" if reply.ok else reply.cause
        if reply.result.get("duplicate"):
            warning = f"another node called {self.node!r} is on this bus; give one of them another name"
        if warning and warning != self._warned:
            log.warning("%s: %s", self.node, warning)
        self._warned = warning

    def _tell_state(self) -> None:
        topic, state = Topic(STATE, self.node), self._now()
        try:
            self.publisher.send(topic, state)
        except WireError as error:
            # Why: a plug-in's settings that do not fit must not take the node from the bus.
            if not self._is_too_large:
                log.warning("%s: its settings and details are left out of its state: %s", self.node, error)
            self._is_too_large = True
            self.publisher.send(topic, replace(state, settings={}, details={}))

    def _say_good_bye(self) -> None:
        self.enter(STOPPED)
        self._link.tell("leave", {"node": self.node, "session": self.publisher.session})

    def _now(self) -> State:
        report = self._report()
        return State(
            role=self.role,
            state=self.state,
            cause=self.cause,
            since_ns=self._since_ns,
            host=self._here,
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
