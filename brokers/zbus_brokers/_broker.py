"""The broker: directory and forwarder in one process, the one known address of a rig."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from zbus.config import BrokerPlan
from zbus.transport import CLOCK_WATCH_PERIOD_S, ConnectionCounters, Reactor, is_exposed, new_session
from zbus.wire import DIRECTORY, EVENT, RUNNING, STATE, Body, Event, Origin, State, Topic, encode_message
from zbus_brokers._announcing import Announced, Announcer
from zbus_brokers._directory import Directory
from zbus_brokers._forwarder import Forwarder
from zbus_brokers._host_clock import HostClock

STATE_PERIOD_S = 1.0


def run_broker(
    plan: BrokerPlan,
    reactor: Reactor,
    on_ready: Callable[[Mapping[str, str]], None] = lambda endpoints: None,
    *,
    rig: str = "rig",
    edge: str = "",
    server_key: str = "",
) -> None:
    """Run until `reactor` is stopped, at the addresses of `plan`; port 0 takes any free one.

    `on_ready` is given the endpoints that were taken. Beacons tell the name of the `rig`, and the endpoint
    of its `edge` with the public key.

    Raises AddressInUse, ExposedAddress, TransportError, ConfigError before anything runs.
    """
    with Forwarder(plan.publish, plan.subscribe, reactor, insecure=plan.insecure) as forwarder:
        voice = _Voice(forwarder, plan)

        def endpoints() -> dict[str, str]:
            return {
                "directory": directory.endpoint,
                "publish": forwarder.publish_endpoint,
                "subscribe": forwarder.subscribe_endpoint,
            }

        directory = Directory(
            plan.directory, reactor, voice.tell, endpoints, host=plan.here, insecure=plan.insecure
        )
        clock = HostClock(plan.here, voice.tell)
        with directory, ExitStack() as beats:
            announced = Announced(rig, directory.endpoint, edge, server_key)
            announcer = beats.enter_context(Announcer(plan, announced, voice.session, reactor))
            on_ready(endpoints())
            for period_s, beat in (
                (
                    STATE_PERIOD_S,
                    lambda: voice.tell_state(directory, endpoints(), clock.counters, announcer.counters),
                ),
                (CLOCK_WATCH_PERIOD_S, clock.look),
            ):
                beats.callback(reactor.every(period_s, beat, first_s=0.0).cancel)
            reactor.run()


class _Voice:
    """What the broker itself says on the bus: its state, and events about nodes."""

    def __init__(self, forwarder: Forwarder, plan: BrokerPlan) -> None:
        self._forwarder, self._here = forwarder, plan.here
        places = (plan.directory, plan.publish, plan.subscribe)
        self._insecure = plan.insecure and any(map(is_exposed, places))
        self.session = new_session()
        self._since_ns = time.time_ns()
        self._seq: dict[str, int] = {}

    def tell(self, event: str, fields: Mapping[str, Any]) -> None:
        if event in ("node_lost", "node_left") and not fields["replaced"]:
            # Why: the last state of a node that is gone would tell late joiners that it runs.
            self._forwarder.cache.forget(Topic(STATE, fields["node"]).encode())
        self._send(Topic(EVENT, DIRECTORY), Event(event, fields))

    def tell_state(
        self, directory: Directory, endpoints: Mapping[str, str], *more: Mapping[str, int]
    ) -> None:
        counters = asdict(self._forwarder.counters) | {
            "states_too_large": self._forwarder.cache.too_large,
            "control_refused": directory.refused,
            **_prefixed("publishers", self._forwarder.publishers),
            **_prefixed("subscribers", self._forwarder.subscribers),
            **_prefixed("control", directory.connections),
        }
        for each in more:
            counters |= each
        state = State(
            role="broker",
            state=RUNNING,
            since_ns=self._since_ns,
            host=self._here,
            pid=os.getpid(),
            counters=counters,
            details={"endpoints": dict(endpoints), "insecure": self._insecure},
        )
        self._send(Topic(STATE, DIRECTORY), state)

    def _send(self, topic: Topic, body: Body) -> None:
        seq = self._seq.get(topic.kind, 0)
        self._seq[topic.kind] = seq + 1
        parts = encode_message(topic, Origin(DIRECTORY, self.session, seq, time.time_ns()), body)
        plain = [bytes(part) for part in parts]
        if topic.kind == STATE:
            self._forwarder.cache.remember(plain)
        self._forwarder.send(plain)


def _prefixed(name: str, counters: ConnectionCounters) -> dict[str, int]:
    return {f"{name}_{key}": value for key, value in asdict(counters).items()}
