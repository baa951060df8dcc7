"""The overlay node: anyone's drawings in through one door, the live set of each camera out."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from zbus.config import BrokerPlan, OverlayPlan, read_settings
from zbus.errors import WireError
from zbus.nodes._presence import Presence, Report
from zbus.overlay import DoorDefaults, Intake, OverlayStore
from zbus.transport import EVERY, Puller, Reactor, Subscriber, is_exposed, key_of
from zbus.wire import DIRECTORY, EVENT, OVERLAY, RUNNING, STATE, Event, State, Topic, decode_overlays

NODE = "overlay"
PUBLISH_PERIOD_S = 0.02
REPEAT_PERIOD_S = 1.0
# Why: a log line for each message of a flood would fill the disk that recordings need.
LOG_PERIOD_S = 5.0

log = logging.getLogger(__name__)


def run_overlay(plan: OverlayPlan, broker: BrokerPlan, reactor: Reactor) -> None:
    """Run the overlay node until `reactor` is stopped. Raises AddressInUse, ExposedAddress."""
    node = _OverlayNode(plan, broker, reactor)
    with node.door, node.states, node.presence:
        reactor.watch(node.door.socket, node.take)
        reactor.watch(node.states.socket, node.take_states)
        reactor.every(PUBLISH_PERIOD_S, node.publish)
        reactor.every(REPEAT_PERIOD_S, node.repeat)
        node.presence.enter(RUNNING)
        reactor.run()


class _OverlayNode:
    def __init__(self, plan: OverlayPlan, broker: BrokerPlan, reactor: Reactor) -> None:
        self._insecure = plan.insecure and is_exposed(plan.bind)
        self.door = Puller(plan.bind, insecure=plan.insecure)
        topics = [f"{STATE}/", str(Topic(EVENT, DIRECTORY))]
        self.states = Subscriber(broker.subscribe, topics, policy=EVERY, key=key_of(broker))
        verbs = {"configure": self._configure}
        self.presence = Presence(NODE, "overlay", broker, reactor, self._report, verbs)
        self._store, self._intake = OverlayStore(), Intake()
        self._defaults = DoorDefaults()
        self._refused: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._received = 0
        self._logged_s = -LOG_PERIOD_S

    def take(self) -> None:
        """Read the door until it is empty or this turn's budget is spent."""
        now_ns = time.monotonic_ns()
        while not self._intake.full and (messages := self.door.take()):
            self._received += len(messages)
            for data in messages:
                self._offer(data, now_ns)
        for overlay, sender in self._intake.take():
            self._changed |= self._store.put(overlay, now_ns, sender)

    def take_states(self) -> None:
        """Learn which cameras there are."""
        for received in self.states.take():
            cameras = set(self._store.cameras)
            if isinstance(received.body, State) and received.body.role == "camera":
                cameras.add(received.origin.node)
            elif isinstance(received.body, Event) and received.body.event in ("node_lost", "node_left"):
                gone = received.body.fields
                cameras -= set() if gone.get("replaced") else {str(gone.get("node"))}
            self._store.cameras = sorted(cameras)

    def publish(self) -> None:
        """Publish the sets that changed since the last time."""
        now_ns = time.monotonic_ns()
        self._changed |= self._store.expire(now_ns)
        for camera in self._changed:
            self.presence.publisher.send(Topic(OVERLAY, camera), self._store.snapshot(camera, now_ns))
        self._changed.clear()

    def repeat(self) -> None:
        """Have every set that is not empty published again, for who came late."""
        self._changed |= self._store.live_cameras()

    def _offer(self, data: bytes, now_ns: int) -> None:
        try:
            overlays = decode_overlays(data)
        except WireError as error:
            self._refused[error.reason] += 1
            self._log_refusal(error)
            return
        for overlay in overlays:
            complete = self._defaults.apply(overlay)
            if complete is None:
                self._refused["outside_picture"] += 1
            else:
                self._intake.offer(complete, now_ns)

    def _log_refusal(self, error: WireError) -> None:
        now_s = time.monotonic()
        if now_s - self._logged_s >= LOG_PERIOD_S:
            self._logged_s = now_s
            total = sum(self._refused.values())
            log.warning(
                "an overlay was refused (%d so far): %s", total, str(error).encode("unicode_escape").decode()
            )

    def _configure(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings are DoorDefaults: what a message means that names no camera, id or lifetime."""
        self._defaults = read_settings(DoorDefaults, args.get("settings", {}))
        return {"settings": asdict(self._defaults)}

    def _report(self) -> Report:
        counters = {
            "received": self._received,
            "refused": sum(self._refused.values()) + self.door.wrong_part_count,
            **{f"refused_{reason}": count for reason, count in self._refused.items()},
            **{f"shapes_{name}": count for name, count in self._store.counters.items()},
            **self._intake.counters,
        }
        return Report(
            publishes=[str(Topic(OVERLAY, camera)) for camera in self._store.cameras],
            endpoints=[],
            counters=counters,
            settings=asdict(self._defaults),
            details={
                "door": self.door.endpoint,
                "cameras": list(self._store.cameras),
                "insecure": self._insecure,
            },
        )
