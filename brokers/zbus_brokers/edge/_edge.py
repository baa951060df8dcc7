"""The process behind `zbus edge`: four locked sockets outside, an ordinary client of the rig inside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan, EdgePlan
from zbus.errors import AddressInUse
from zbus.transport import Reactor, ServerLock
from zbus_brokers.edge._control_door import ControlDoor
from zbus_brokers.edge._guests import Guests
from zbus_brokers.edge._memory import EDGE_MEMORY_MAX_BYTES, limit_memory
from zbus_brokers.edge._outer import Outer
from zbus_brokers.edge._overlay_door import OverlayDoor
from zbus_brokers.edge._publish_door import PublishDoor
from zbus_brokers.edge._subscribe_door import SubscribeDoor
from zbus_brokers.edge._voice import Told, Voice

# A port that was just given back is free a moment later.
BIND_AGAIN_S, BIND_TRIES = 0.02, 250

log = logging.getLogger(__name__)


def run_edge(
    plan: EdgePlan,
    broker: BrokerPlan,
    overlays: str,
    keys: Path,
    reactor: Reactor,
    on_ready: Callable[[Sequence[str]], None] = lambda places: None,
    *,
    memory_max_bytes: int = EDGE_MEMORY_MAX_BYTES,
) -> None:
    """Run until `reactor` is stopped; `on_ready` is given the places that were bound.

    `overlays` is the overlay node's own door. The process gets no more memory than `memory_max_bytes`,
    0 leaves that alone. Raises KeysError, AddressInUse, TransportError; TransportError also where the thread
    that checks keys has ended.
    """
    if memory_max_bytes:
        limit_memory(memory_max_bytes)
    with ExitStack() as undo:
        lock = None if plan.insecure else undo.enter_context(ServerLock(keys))
        edge = _Edge(plan, broker, overlays, reactor, lock)
        for door in edge.doors:
            undo.enter_context(door)
        voice = Voice(broker, reactor, edge.tell)
        undo.enter_context(voice)
        if lock is not None:
            lock.watch(reactor, edge.revoke)
        on_ready(plan.places)
        reactor.run()


class _Edge:
    """The four doors, and making them anew."""

    def __init__(
        self, plan: EdgePlan, broker: BrokerPlan, overlays: str, reactor: Reactor, lock: ServerLock | None
    ) -> None:
        self._plan, self._reactor, self._lock = plan, reactor, lock
        self._guests = Guests(lock)
        self._rebuilds, self._to_open = 0, list[Outer]()
        _, publish, subscribe, overlay = plan.places
        shared = (reactor, lock, self._guests)
        self.doors = (
            ControlDoor(plan.places, broker.directory, *shared),
            PublishDoor(publish, broker.publish, *shared),
            SubscribeDoor(subscribe, broker.subscribe, *shared, self._on_misuse),
            OverlayDoor(overlay, overlays, *shared),
        )

    def revoke(self, names: list[str]) -> None:
        """End every connection: libzmq cannot end those of one key; who is still allowed comes again."""
        log.warning("%s: revoked, or other rights now; all connections end", ", ".join(names))
        self._rebuild([door.outer for door in self.doors])

    def tell(self) -> Told:
        """What the edge's state tells."""
        counters: dict[str, int] = {"refused_by_right": self._guests.refused, "rebuilds": self._rebuilds}
        counters["auth_denied"] = self._lock.denied if self._lock else 0
        for name, door in zip(("control", "publish", "subscribe", "overlay"), self.doors, strict=True):
            counters |= door.counters
            counters |= {f"{name}_{key}": value for key, value in asdict(door.outer.counters).items()}
        details: dict[str, Any] = {
            "endpoints": list(self._plan.places),
            "insecure": self._plan.insecure,
            "keys": sorted(key.name for key in self._lock.allowed) if self._lock else [],
        }
        return Told(counters, details)

    def _on_misuse(self) -> None:
        self._rebuild([self.doors[2].outer])

    def _rebuild(self, outers: Sequence[Outer]) -> None:
        self._rebuilds += 1
        waiting = [outer for outer in outers if outer not in self._to_open]
        for outer in waiting:
            outer.close()
        is_first = not self._to_open
        self._to_open += waiting
        if is_first:
            self._open_again(BIND_TRIES)

    def _open_again(self, tries: int) -> None:
        while self._to_open:
            try:
                self._to_open[0].open()
            except AddressInUse:
                if tries <= 1:
                    raise
                self._reactor.after(BIND_AGAIN_S, lambda: self._open_again(tries - 1))
                return
            self._to_open.pop(0)
