"""Keeps one process running beside this one, for a verb that is no whole rig."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

from zbus.errors import EXIT_CONFIG, EXIT_USAGE
from zbus.nodes._child import Child, ChildPlan
from zbus.transport import Reactor, Resource

CHECK_PERIOD_S = 0.1
STOP_TIMEOUT_S = 3.0

log = logging.getLogger(__name__)


class Keeper(Resource):
    """Starts a process, starts it again when it ends, and ends it, in `with` and the loop of `reactor`.

    Where it ends at its first start for what waiting does not heal, its error ends the loop: `run` of the
    reactor raises NodeFailed.
    """

    def __init__(self, plan: ChildPlan, reactor: Reactor) -> None:
        self.child = Child(plan)
        self._reactor = reactor
        self._undo = ExitStack()

    def open(self) -> None:
        """Start it."""
        self.child.start()
        self._undo.callback(self._stop)
        self._undo.callback(self._reactor.every(CHECK_PERIOD_S, self._check).cancel)

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._undo.close()

    def _check(self) -> None:
        happened = self.child.check()
        if happened == "ended":
            if (
                self.child.failure
                and not self.child.restarts
                and self.child.exit_code in (EXIT_USAGE, EXIT_CONFIG)
            ):
                raise self.child.failure
            words = self.child.describe_end()
            log.warning("%s ended (%s); again in %.1f s", self.child.plan.node, words, self.child.back_off_s)
        elif happened == "restarted":
            log.info("%s is started again, process %d", self.child.plan.node, self.child.pid)

    def _stop(self) -> None:
        self.child.ask_to_stop()
        self.child.wait(time.monotonic() + STOP_TIMEOUT_S)
