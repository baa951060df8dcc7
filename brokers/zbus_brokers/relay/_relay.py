"""The relay of one host: exporter, one importer for each other host, and this host's bus between them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan, Rig
from zbus.errors import WireError
from zbus.transport import Reactor, ServerLock
from zbus.wire import (
    DEGRADED,
    EVENT,
    FRAME,
    RUNNING,
    STATE,
    STOPPED,
    Buffer,
    RelayNode,
    RelayPing,
    Reply,
    State,
    Topic,
    decode_request,
    encode_reply,
)
from zbus_brokers.relay._directory_link import DirectoryLink, OnParts
from zbus_brokers.relay._exporter import Exporter
from zbus_brokers.relay._exports import Exports, read_exports
from zbus_brokers.relay._importer import Importer
from zbus_brokers.relay._local_bus import LocalBus

BEAT_PERIOD_S = 0.05
LIST_PERIOD_S = 0.25
ANNOUNCE_PERIOD_S = 0.5
STATE_PERIOD_S = 1.0
ROLE = "relay"


def run_relay(
    rig: Rig, broker: BrokerPlan, reactor: Reactor, folder: Path | None = None, keys: Path | None = None
) -> None:
    """Run the relay of `rig.host` until `reactor` is stopped.

    `folder` is where the sockets of this host's nodes are. With the keys folder `keys` only relays that have
    the rig's own key come in, and are gone to. Raises AddressInUse, ExposedAddress, KeysError, TransportError
    before anything runs.
    """
    lock = ServerLock(keys, rig_only=True) if keys else None
    with ExitStack() as stack:
        if lock is not None:
            # Why first: who connects before there is a lock would have to be let in or lost.
            stack.enter_context(lock)
            lock.watch(reactor)
        relay = _Relay(rig, broker, reactor, folder, lock)
        for part in relay.parts:
            stack.enter_context(part)
        stack.callback(relay.say_good_bye)
        for period_s, beat in relay.beats:
            stack.callback(reactor.every(period_s, beat, first_s=0.0).cancel)
        reactor.run()


class _Relay:
    def __init__(
        self,
        rig: Rig,
        broker: BrokerPlan,
        reactor: Reactor,
        folder: Path | None,
        lock: ServerLock | None,
    ) -> None:
        self._rig, self._broker, self._reactor = rig, broker, reactor
        self.node = f"{ROLE}.{rig.host}"
        lifespan_ns = round(rig.relay.lifespan_ms * 1e6)
        self._bus = LocalBus(self.node, broker, folder, reactor, self._refresh)
        self._directory = DirectoryLink(self.node, broker.directory, reactor, self._serve)
        self._session = self._bus.small.session
        self._exporter = Exporter(
            rig.hosts[rig.host].relay_endpoint,
            rig=rig.name,
            host=rig.host,
            hosts=rig.hosts.keys(),
            session=self._session,
            subscribe=broker.subscribe,
            frames_hz=rig.relay.frames_hz,
            lifespan_ns=lifespan_ns,
            reactor=reactor,
            ask=self._ask_here,
            insecure=rig.relay.insecure,
            lock=lock,
        )
        key = lock.rig_key.towards(lock.rig_key.public) if lock else None
        self._importers = {
            host: Importer(
                host,
                plan.relay_endpoint,
                who=lambda link, sent_ns: RelayPing(rig.name, rig.host, link, self._session, sent_ns),
                topics=rig.relay.topics,
                lifespan_ns=lifespan_ns,
                bus=self._bus,
                reactor=reactor,
                on_nodes=self._on_nodes,
                key=key,
            )
            for host, plan in rig.hosts.items()
            if host != rig.host
        }
        self.parts = [self._bus, self._directory, self._exporter, *self._importers.values()]
        self.beats = [
            (BEAT_PERIOD_S, self._beat),
            (LIST_PERIOD_S, self._list),
            (ANNOUNCE_PERIOD_S, self._announce),
            (STATE_PERIOD_S, self._tell_state),
        ]
        self._exports = Exports()
        self._is_listed = False
        self._since_ns = time.time_ns()
        self._state = ""

    def _beat(self) -> None:
        self._exporter.check()
        for importer in self._importers.values():
            importer.beat()
        self._refresh()
        if self._now()[0] != self._state:
            self._tell_state()
        if not self._is_listed:
            # Why: what is told before the directory is connected is not sent.
            self._list()
            self._announce()

    def _refresh(self) -> None:
        """Ask the other hosts for what is wanted here now."""
        prefixes = self._bus.wanted()
        for importer in self._importers.values():
            importer.want(prefixes, self._exports.local)

    def _list(self) -> None:
        self._directory.tell("nodes", {}, self._on_listing)

    def _on_listing(self, reply: Reply) -> None:
        listing = reply.result.get("nodes")
        self._is_listed = True
        if isinstance(listing, list):
            self._exports = read_exports(listing, self._rig.relay.topics)
            self._exporter.set_exports(self._exports)
            self._refresh()

    def _on_nodes(self) -> None:
        self._refresh()
        self._announce()

    def _announce(self) -> None:
        """Tell the directory of this host that we are here, and who can be reached through us."""
        own = [str(Topic(STATE, self.node)), str(Topic(EVENT, self.node))]
        self._directory.tell(
            "announce",
            {
                "node": self.node,
                "role": ROLE,
                "session": self._session,
                "host": self._broker.here,
                "pid": os.getpid(),
                "publishes": own,
                "endpoints": [],
            },
        )
        for importer in self._importers.values():
            for node in importer.nodes:
                self._announce_far(importer.host, node)

    def _announce_far(self, host: str, node: RelayNode) -> None:
        has_frames = any(topic.startswith(FRAME) for topic in node.publishes)
        self._directory.tell(
            "announce",
            {
                "node": node.node,
                "role": node.role,
                "session": node.session,
                "host": host,
                "pid": node.pid,
                "publishes": list(node.publishes),
                "endpoints": self._bus.frames.endpoints if has_frames else [],
                "via": self.node,
                "rates": {topic: rate for topic, rate in node.rates.items() if topic in node.publishes},
            },
        )

    def _serve(self, target: str, parts: Sequence[bytes], on_reply: OnParts) -> None:
        """A request that this host's directory carried to us: for us, or for a node of another host."""
        if target == self.node:
            on_reply(self._answer(parts))
            return
        for importer in self._importers.values():
            if any(node.node == target for node in importer.nodes):
                importer.ask(parts, on_reply)
                return
        raise WireError("bad_topic", f"no other host has a node {target!r}")

    def _answer(self, parts: Sequence[bytes]) -> Sequence[Buffer]:
        request = decode_request(parts)
        reply = Reply(request.request_id, self.node, error_code="unknown_verb", cause="status, stop")
        if request.verb == "status":
            reply = Reply(request.request_id, self.node, self._report(*self._now()).header())
        elif request.verb == "stop":
            reply = Reply(request.request_id, self.node)
            # Why: the answer leaves first.
            self._reactor.after(0.0, self._reactor.stop)
        return encode_reply(reply)

    def _ask_here(self, parts: Sequence[Buffer], on_reply: OnParts) -> None:
        """Another host's request to a node of this one. Raises WireError for what is no request."""
        request = decode_request([bytes(part) for part in parts])
        if request.target in self._exports.names:
            self._directory.ask(parts, on_reply)
            return
        cause = f"{self._rig.host} has no node {request.target!r} any more"
        reply = Reply(request.request_id, request.target, error_code="unknown_node", cause=cause)
        on_reply(encode_reply(reply))

    def _tell_state(self) -> None:
        state, cause = self._now()
        if state != self._state:
            self._state, self._since_ns = state, time.time_ns()
        self._bus.tell_state(self._report(state, cause))

    def _now(self) -> tuple[str, str]:
        missing = {host: each for host, each in self._importers.items() if not each.is_connected}
        if not missing:
            return RUNNING, ""
        refused = {host: each.admission.cause for host, each in missing.items() if each.admission.cause}
        silent = [host for host in missing if host not in refused]
        causes = [f"not reached: {', '.join(silent)}"] if silent else []
        return DEGRADED, "; ".join(
            [*causes, *(f"not let in by {host}: {cause}" for host, cause in refused.items())]
        )

    def _report(self, state: str, cause: str) -> State:
        to_others = self._exporter.describe()
        hosts = {
            host: {"from": dict(importer.describe()), "to": dict(to_others.get(host, {}))}
            for host, importer in self._importers.items()
        }
        return State(
            role=ROLE,
            state=state,
            cause=cause,
            since_ns=self._since_ns,
            host=self._broker.here,
            pid=os.getpid(),
            counters=self._counters(to_others),
            settings={
                "topics": list(self._rig.relay.topics),
                "frames_hz": self._rig.relay.frames_hz,
                "lifespan_ms": self._rig.relay.lifespan_ms,
            },
            details={
                "reference": self._rig.reference,
                "hosts": hosts,
                "insecure": self._rig.relay.insecure,
            },
        )

    def _counters(self, to_others: Mapping[str, Any]) -> dict[str, int]:
        importers = [importer.counters for importer in self._importers.values()]
        return {
            "received": sum(each.received for each in importers),
            "received_bytes": sum(each.received_bytes for each in importers),
            "stale": sum(each.stale for each in importers),
            "forwarded": sum(each["forwarded"] for each in to_others.values()),
            "forwarded_bytes": sum(each["forwarded_bytes"] for each in to_others.values()),
            "refused": self._exporter.refused + self._exporter.sources.refused + self._directory.refused,
        }

    def say_good_bye(self) -> None:
        """Tell that we leave."""
        self._bus.tell_state(self._report(STOPPED, ""))
        self._directory.tell("leave", {"node": self.node, "session": self._session})
