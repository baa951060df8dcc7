"""Tells networks where the rig can be asked: by beacon, and by zeroconf where that was asked for (spec 8)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from zbus.config import BrokerPlan
from zbus.errors import TransportError, WireError
from zbus.transport import (
    BEACON_PERIOD_S,
    BeaconSender,
    Reactor,
    Resource,
    ZeroconfAnnouncer,
    is_exposed,
    is_on_loopback,
)
from zbus.wire import Beacon

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announced:
    """What beacons tell of a rig: its name, its directory, and its edge with its public key."""

    rig: str
    directory: str
    edge: str = ""
    server_key: str = ""


class Announcer(Resource):
    """Sends the beacons of a broker, each second, as long as it is open.

    Nothing depends on it: what cannot be told is said once in the log. Only the missing library of a wanted
    zeroconf is an error.
    """

    def __init__(self, plan: BrokerPlan, announced: Announced, session: str, reactor: Reactor) -> None:
        self._plan, self._announced, self._session, self._reactor = plan, announced, session, reactor
        self._senders: list[BeaconSender] = []
        self._undo = ExitStack()

    def open(self) -> None:
        """Begin. Raises ConfigError where zeroconf is wanted and its library is missing."""
        with ExitStack() as undo:
            for address in self._plan.beacon:
                self._begin(address, undo)
            beat = self._reactor.every(BEACON_PERIOD_S, self._send, first_s=0.0)
            undo.callback(beat.cancel)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Stop. Safe to call twice."""
        self._undo.close()
        self._senders.clear()

    @property
    def counters(self) -> Mapping[str, int]:
        """As they stand in the broker's state."""
        return {
            "beacons_sent": sum(sender.sent for sender in self._senders),
            "beacons_failed": sum(sender.failed for sender in self._senders),
        }

    def _begin(self, address: str, undo: ExitStack) -> None:
        beacon = self._beacon_for(address)
        if beacon is None:
            log.warning("no beacon is sent from %s: nothing of this rig can be reached there", address)
            return
        try:
            self._senders.append(undo.enter_context(BeaconSender(beacon, address)))
            if self._plan.zeroconf:
                undo.enter_context(ZeroconfAnnouncer(beacon, address))
        except (TransportError, WireError, OSError) as error:
            log.warning("zbus ls --find will not show this rig to %s: %s", address, error)

    def _beacon_for(self, address: str) -> Beacon | None:
        directory = reachable_at(self._announced.directory, address)
        edge = reachable_at(self._announced.edge, address)
        if not directory and not edge:
            return None
        return Beacon(
            rig=self._announced.rig,
            host=self._plan.here,
            session=self._session,
            period_ms=int(BEACON_PERIOD_S * 1_000),
            directory=directory,
            edge=edge,
            server_key=self._announced.server_key if edge else "",
        )

    def _send(self) -> None:
        for sender in self._senders:
            sender.send()


def reachable_at(endpoint: str, address: str) -> str:
    """`endpoint` as who hears `address` can reach it, "" where they cannot; a wildcard is that interface."""
    own = address.partition("/")[0]
    if endpoint.startswith("ipc://") or (endpoint and not is_exposed(endpoint)):
        return endpoint.replace("//localhost:", "//127.0.0.1:") if is_on_loopback(address) else ""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return f"tcp://{own}:{port}" if host in ("0.0.0.0", "*", "[::]", own) else ""
