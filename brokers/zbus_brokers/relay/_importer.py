"""Brings here what is wanted of one other host: asked for once, judged by its age, given out on this bus."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zbus.errors import WireError
from zbus.transport import RELAY_FRAMES, RELAY_SMALL, ClientKey, Reactor, Resource
from zbus.wire import (
    CONTROL,
    FRAME,
    FRAMES_LINK,
    REPLY,
    SMALL_LINK,
    RelayAsk,
    RelayBye,
    RelayData,
    RelayMessage,
    RelayNode,
    RelayNodes,
    RelayPing,
    RelayPong,
    RelayReply,
    RelayWant,
    append_keys,
    decode_message,
    decode_reply,
    decode_request,
    header_limit,
)
from zbus_brokers.relay._admission import Admission
from zbus_brokers.relay._calls_out import CallsOut, OnReply, unreachable
from zbus_brokers.relay._clocks import Clocks
from zbus_brokers.relay._expansion import expand, may_cross
from zbus_brokers.relay._line_out import LineOut
from zbus_brokers.relay._local_bus import LocalBus

SILENCE_NS = 1_500_000_000
FRAMES_SILENCE_NS = 5_000_000_000
THINNED_TOPICS_MAX = 1_024

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ImporterCounters:
    """What became of what came. `stale` frames were too old to be handed on, `unwanted` were not asked for,
    `refused` broke the spec, `dropped` could not be given out here.
    """

    received: int = 0
    received_bytes: int = 0
    stale: int = 0
    unwanted: int = 0
    refused: int = 0
    dropped: int = 0
    found: int = 0
    lost: int = 0


class Importer(Resource):
    """The links to the relay of `host` at `endpoint`, and what is known of that host.

    `on_nodes` is called when its nodes have changed. Belongs to the thread of `reactor`.
    """

    def __init__(
        self,
        host: str,
        endpoint: str,
        *,
        who: Callable[[str, int], RelayPing],
        topics: Sequence[str],
        lifespan_ns: int,
        bus: LocalBus,
        reactor: Reactor,
        on_nodes: Callable[[], None],
        key: ClientKey | None = None,
    ) -> None:
        self.host, self.endpoint = host, endpoint
        self._allowed, self._lifespan_ns, self._bus, self._on_nodes = topics, lifespan_ns, bus, on_nodes
        self.lines = {
            link: LineOut(
                endpoint,
                lambda sent_ns, link=link: who(link, sent_ns),
                reactor,
                lambda message, link=link: self._take(link, message),
                key,
                options,
            )
            for link, options in ((SMALL_LINK, RELAY_SMALL), (FRAMES_LINK, RELAY_FRAMES))
        }
        self.nodes: tuple[RelayNode, ...] = ()
        self.counters = ImporterCounters()
        self.clocks = Clocks()
        self.admission = Admission(host)
        self.is_connected = False
        self.wanted: tuple[str, ...] = ()
        self._want_number = 0
        self._session = ""
        self._calls = CallsOut()
        self._left_out: dict[str, int] = {}
        self._silent_since_ns = 0
        self._prefixes: Collection[bytes] = ()
        self._local: Collection[str] = ()

    def open(self) -> None:
        """Begin to connect."""
        self._silent_since_ns = time.monotonic_ns()
        for line in self.lines.values():
            line.open()

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        for line in self.lines.values():
            line.close()

    @property
    def silent_s(self) -> float:
        """For how long nothing was heard, while it is not connected; 0 while it is."""
        return 0.0 if self.is_connected else round((time.monotonic_ns() - self._silent_since_ns) / 1e9, 3)

    def beat(self) -> None:
        """Ping where it is time, and see who is silent."""
        now_ns = time.monotonic_ns()
        small, frames = self.lines[SMALL_LINK], self.lines[FRAMES_LINK]
        if self.is_connected and now_ns - small.heard_ns > SILENCE_NS:
            self._lose(small.heard_ns, "silent")
        elif not self.is_connected and now_ns - small.heard_ns > self.admission.wait_ns:
            small.reopen()
            self.admission.try_again(small.refusal)
        if now_ns - frames.heard_ns > FRAMES_SILENCE_NS:
            frames.reopen()
        for line in self.lines.values():
            line.ping(now_ns)
        self.admission.look(small.refusal)

    def want(self, prefixes: Collection[bytes], local: Collection[str]) -> None:
        """Ask for what `prefixes` cover of that host's topics; those in `local` are published here."""
        self._prefixes, self._local = prefixes, local
        topics = {topic for node in self.nodes for topic in node.publishes if may_cross(topic, self._allowed)}
        wanted = tuple(expand(prefixes, topics.difference(local)))
        if wanted != self.wanted:
            self.wanted = wanted
            self._want_number += 1
            self._tell_wants()

    def ask(self, parts: Sequence[bytes], on_reply: OnReply) -> None:
        """Carry a control request there; where nobody is, that is the answer at once. Raises WireError."""
        if not self.is_connected:
            on_reply(unreachable(parts, self.host))
            return
        on_time = [parts[0], self._in_their_time(parts)]
        route = self._calls.open(on_time, on_reply)
        if not self.lines[SMALL_LINK].send(RelayAsk(route, on_time)):
            self._calls.close(route)
            on_reply(unreachable(parts, self.host))

    def _in_their_time(self, parts: Sequence[bytes]) -> bytes:
        """The request's header with its time of asking as that host's wall clock would have shown it.

        Why: a request is refused as late by the clock of who carries it out.
        """
        request, offset_ns = decode_request(parts), self.clocks.utc_offset_ns()
        if not request.asked_ns or offset_ns is None:
            return parts[1]
        asked_ns = max(0, request.asked_ns + offset_ns)
        return append_keys(parts[1], {"asked_ns": asked_ns}, header_limit(CONTROL))

    def _take(self, link: str, message: RelayMessage) -> None:
        if isinstance(message, RelayPong):
            self._take_pong(link, message)
        elif not self.is_connected:
            raise WireError("bad_topic", f"{message.word} before the first pong")
        elif isinstance(message, RelayData):
            self._take_data(link, message)
        elif isinstance(message, RelayNodes):
            is_same, self.nodes = message.nodes == self.nodes, message.nodes
            if not is_same:
                self._on_nodes()
        elif isinstance(message, RelayReply):
            self._take_reply(message)
        elif isinstance(message, RelayBye):
            self._lose(time.monotonic_ns(), "it ended")
        else:
            raise WireError("bad_topic", f"{message.word} is not for who asks")

    def _take_pong(self, link: str, pong: RelayPong) -> None:
        received_ns = self.lines[link].came_ns
        if pong.host != self.host or not self.lines[link].note_pong(pong):
            raise WireError("out_of_range", "a pong to what was not sent")
        if link != SMALL_LINK:
            return
        self.lines[link].ping_on()
        if pong.session != self._session:
            self._session = pong.session
            self.clocks.forget()
        self.clocks.add(pong.sent_ns, pong.mono_ns, pong.utc_ns, received_ns)
        if not self.is_connected:
            self._find(received_ns)
        if pong.wanted != self._want_number:
            self._tell_wants()

    def _find(self, now_ns: int) -> None:
        self.is_connected = True
        self.admission.clear()
        if self.lines[FRAMES_LINK].refusal:
            self.lines[FRAMES_LINK].reopen()
        silent_s = round((now_ns - self._silent_since_ns) / 1e9, 3)
        self.counters.found += 1
        log.info("%s is found after %.1f s", self.host, silent_s)
        self._bus.tell("host_found", {"host": self.host, "silent_s": silent_s, "address": self.endpoint})

    def _lose(self, heard_ns: int, cause: str) -> None:
        self.is_connected, self._silent_since_ns = False, heard_ns
        silent_s = round((time.monotonic_ns() - heard_ns) / 1e9, 3)
        self.counters.lost += 1
        log.warning("%s is lost: %s", self.host, cause)
        told = {"host": self.host, "silent_s": silent_s, "address": self.endpoint, "cause": cause}
        self._bus.tell("host_lost", told)
        for line in self.lines.values():
            line.reopen()
        self.nodes, self.wanted = (), ()
        self._left_out.clear()
        for parts, on_reply in self._calls.lose():
            on_reply(unreachable([bytes(part) for part in parts], self.host))
        self._on_nodes()

    def _tell_wants(self) -> None:
        if self._want_number and self.is_connected:
            self.lines[SMALL_LINK].send(RelayWant(self._want_number, self.wanted))

    def _take_data(self, link: str, data: RelayData) -> None:
        is_frames = link == FRAMES_LINK
        is_stale = False
        try:
            is_stale = self._give(data)
        except WireError:
            self.counters.refused += 1
        finally:
            self.lines[link].note_taken(is_stale=is_stale, at_once=is_frames)

    def _give(self, data: RelayData) -> bool:
        """Give a message out here; True where it was too old for that."""
        message = decode_message(data.parts)
        topic = str(message.topic)
        if topic not in self.wanted:
            self.counters.unwanted += 1
            return False
        self.counters.received += 1
        self.counters.received_bytes += sum(memoryview(part).nbytes for part in data.parts)
        left_out, left_ns = data.thinned, 0
        if message.topic.kind == FRAME:
            left_out += self._left_out.pop(topic, 0)
            left_ns = self._left_ns(data.began_ns)
            if left_ns < 0:
                self.counters.stale += 1
                # Why: what was left out on purpose before it is still no loss.
                self._left_out[topic] = left_out
                return True
        if not self._bus.give(message, data.parts, left_out, left_ns):
            self.counters.dropped += 1
        return False

    def _left_ns(self, began_ns: int) -> int:
        """How much longer a frame may live; below 0 where it is too old, or its age cannot be known."""
        age_ns = self.clocks.age_ns(began_ns, time.monotonic_ns())
        return -1 if age_ns is None else self._lifespan_ns - age_ns

    def _take_reply(self, reply: RelayReply) -> None:
        parts = [bytes(part) for part in reply.parts]
        if not parts[0].startswith(f"{REPLY}/".encode()):
            raise WireError("bad_topic", "a reply that is none")
        decode_reply(parts)
        on_reply = self._calls.close(reply.route)
        if on_reply is None:
            raise WireError("bad_topic", "a reply to what was not asked, or was given up already")
        on_reply(parts)

    def describe(self) -> Mapping[str, Any]:
        """For the relay's state."""
        counters = self.counters
        return {
            "connected": self.is_connected,
            "silent_s": self.silent_s,
            "address": self.endpoint,
            **self.admission.describe(),
            "clock": self.clocks.describe(),
            "nodes": len(self.nodes),
            "wanted": len(self.wanted),
            "received": counters.received,
            "received_bytes": counters.received_bytes,
            "stale": counters.stale,
            "unwanted": counters.unwanted,
            "refused": counters.refused + sum(line.refused for line in self.lines.values()),
            "dropped": counters.dropped,
            "found": counters.found,
            "lost": counters.lost,
        }
