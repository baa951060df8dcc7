"""What the edge says of itself on the bus: it is announced, tells its state, and can be stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from zbus.config import BrokerPlan
from zbus.transport import ControlLink, Publisher, Reactor, Resource
from zbus.wire import RUNNING, STATE, STOPPED, State, Topic

NODE = ROLE = "edge"
ANNOUNCE_PERIOD_S = 0.5
STATE_PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """The edge's counters and details for its state."""

    counters: Mapping[str, int]
    details: Mapping[str, Any]


class Voice(Resource):
    """Announces the node `edge` to the broker inside and tells its state, as long as it is open."""

    def __init__(self, broker: BrokerPlan, reactor: Reactor, report: Callable[[], Told]) -> None:
        self._broker, self._reactor, self._report = broker, reactor, report
        self._since_ns = time.time_ns()
        self._publisher = Publisher(NODE, connect=[broker.publish])
        verbs = {"status": lambda args: self._state(RUNNING).header(), "stop": self._stop}
        self._link = ControlLink(NODE, broker.directory, verbs)
        self._undo = ExitStack()

    def open(self) -> None:
        """Connect, whether the broker is there yet or not."""
        with ExitStack() as undo:
            undo.enter_context(self._publisher)
            undo.enter_context(self._link)
            self._reactor.watch(self._link.socket, self._link.serve)
            undo.callback(self._reactor.unwatch, self._link.socket)
            for period_s, beat in ((ANNOUNCE_PERIOD_S, self._announce), (STATE_PERIOD_S, self._tell)):
                undo.callback(self._reactor.every(period_s, beat, first_s=0.0).cancel)
            undo.callback(self._leave)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Say good-bye. Safe to call twice."""
        self._undo.close()

    def _announce(self) -> None:
        args = {
            "node": NODE,
            "role": ROLE,
            "session": self._publisher.session,
            "host": self._broker.here,
            "pid": os.getpid(),
            "publishes": [str(Topic(STATE, NODE))],
            "endpoints": [],
        }
        self._link.tell("announce", args)

    def _tell(self) -> None:
        self._publisher.send(Topic(STATE, NODE), self._state(RUNNING))

    def _state(self, state: str) -> State:
        told = self._report()
        return State(
            role=ROLE,
            state=state,
            since_ns=self._since_ns,
            host=self._broker.here,
            pid=os.getpid(),
            counters=told.counters,
            details=told.details,
        )

    def _leave(self) -> None:
        self._publisher.send(Topic(STATE, NODE), self._state(STOPPED))
        self._link.tell("leave", {"node": NODE, "session": self._publisher.session})

    def _stop(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        # Why: the answer leaves first.
        self._reactor.after(0.0, self._reactor.stop)
        return {}
