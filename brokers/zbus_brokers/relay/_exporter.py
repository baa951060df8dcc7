"""Serves the other hosts: what each wants of this host crosses to it, once."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import zmq

from zbus.errors import WireError
from zbus.transport import RELAY_IN, Reactor, Resource, ServerLock, bind, make_socket, split_route
from zbus.wire import (
    FRAMES_LINK,
    SMALL_LINK,
    STATE,
    Buffer,
    RelayAsk,
    RelayMessage,
    RelayNodes,
    RelayPing,
    RelayPong,
    RelayReply,
    RelayTaken,
    RelayWant,
    decode_relay,
    encode_relay,
)
from zbus_brokers.relay._exports import Exports
from zbus_brokers.relay._farewell import say_bye
from zbus_brokers.relay._outbox import Outgoing
from zbus_brokers.relay._peer import Line, Peer
from zbus_brokers.relay._sources import LocalSources
from zbus_brokers.relay._thinning import Thinning
from zbus_brokers.relay._window import FrameWindow

TAKE_MAX = 256
# So many of all hosts together: a state has 65 536 bytes.
TOPICS_TOLD_MAX = 192
SILENCE_NS = 1_500_000_000
ANSWERS_KEPT = 16
# Nodes that stay the same are told this often, for their rates.
RATES_PERIOD_NS = 1_000_000_000
# Why longer: a ping waits behind a large frame on a slow way.
FRAMES_SILENCE_NS = 5_000_000_000

# Asks a node of this host; the reply's parts are handed to the callback.
Ask = Callable[[Sequence[Buffer], Callable[[Sequence[Buffer]], None]], None]


class Exporter(Resource):
    """One ROUTER to which the relays of the other `hosts` connect, two links each.

    What is wanted is read by LocalSources; requests go to this host's nodes by `ask`. Belongs to
    the thread of `reactor`.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        rig: str,
        host: str,
        hosts: Collection[str],
        session: str,
        subscribe: str,
        frames_hz: float,
        lifespan_ns: int,
        reactor: Reactor,
        ask: Ask,
        insecure: bool = False,
        lock: ServerLock | None = None,
    ) -> None:
        self._wanted, self._insecure, self._lock = endpoint, insecure, lock
        self._rig, self._host, self._hosts, self._session = rig, host, hosts, session
        self._lifespan_ns, self._reactor, self._ask = lifespan_ns, reactor, ask
        self._thinning = Thinning(frames_hz)
        self._exports = Exports()
        self.sources = LocalSources(subscribe, reactor, self._deliver)
        self.peers: dict[str, Peer] = {}
        self.endpoint = ""
        self.refused = 0
        self._nodes_told_ns = 0
        self._answering_ns: deque[int] = deque(maxlen=ANSWERS_KEPT)
        self._undo = ExitStack()

    def open(self) -> None:
        """Bind. Raises AddressInUse, ExposedAddress, TransportError."""
        with ExitStack() as undo:
            self._socket = make_socket(zmq.ROUTER, RELAY_IN)
            undo.callback(self._socket.close)
            # Why: without it what is sent to a host that is gone vanishes uncounted.
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self.endpoint = bind(self._socket, self._wanted, insecure=self._insecure, lock=self._lock)
            undo.enter_context(self.sources)
            self._reactor.watch(self._socket, self._serve)
            undo.callback(self._reactor.unwatch, self._socket)
            undo.callback(self._say_bye)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Tell the others, and unbind. Safe to call twice."""
        self._undo.close()

    def set_exports(self, exports: Exports) -> None:
        """These are the nodes and topics of this host from now on; the others are told."""
        is_same, before = exports == self._exports, self._exports.nodes
        self._exports = exports
        now_ns = time.monotonic_ns()
        if exports.nodes != before or now_ns - self._nodes_told_ns >= RATES_PERIOD_NS:
            self._nodes_told_ns = now_ns
            self._tell_nodes()
        if not is_same:
            self._read_what_is_wanted()

    def _tell_nodes(self) -> None:
        for peer in self.peers.values():
            if SMALL_LINK in peer.lines:
                self._send(peer.lines[SMALL_LINK].identity, encode_relay(RelayNodes(self._exports.nodes)))

    def check(self) -> None:
        """Forget who has been silent for too long, with all that waits for them."""
        now_ns = time.monotonic_ns()
        for peer in list(self.peers.values()):
            small, frames = peer.lines.get(SMALL_LINK), peer.lines.get(FRAMES_LINK)
            if frames is not None and now_ns - frames.heard_ns > FRAMES_SILENCE_NS:
                del peer.lines[FRAMES_LINK]
            if small is None or now_ns - small.heard_ns > SILENCE_NS:
                del self.peers[peer.host]
                self._read_what_is_wanted()

    def _serve(self) -> None:
        for _ in range(TAKE_MAX):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            came_ns = time.monotonic_ns()
            try:
                identity, own = split_route(parts)
                self._handle(identity, decode_relay(own), came_ns)
            except WireError:
                self.refused += 1

    def _handle(self, identity: bytes, message: RelayMessage, now_ns: int) -> None:
        if isinstance(message, RelayPing):
            self._join(identity, message, now_ns)
            return
        peer, link = self._find(identity)
        peer.lines[link].heard_ns = now_ns
        if isinstance(message, RelayTaken):
            self._note_taken(peer, peer.lines[link], message, now_ns)
        elif isinstance(message, RelayWant):
            self._note_wants(peer, message)
        elif isinstance(message, RelayAsk):
            self._ask_here(identity, message)
        else:
            raise WireError("bad_topic", f"{message.word} is not for who serves")

    def _join(self, identity: bytes, ping: RelayPing, now_ns: int) -> None:
        if ping.rig != self._rig or ping.host == self._host or ping.host not in self._hosts:
            raise WireError("out_of_range", f"{ping.host!r} is no other host of {self._rig}")
        peer = self.peers.get(ping.host)
        if peer is None or peer.session != ping.session:
            peer = self.peers[ping.host] = Peer(ping.host, ping.session, self._lifespan_ns)
        is_new = peer.join(ping.link, identity, now_ns)
        self._answer(identity, ping, peer, now_ns)
        if is_new and ping.link == SMALL_LINK:
            self._send(identity, encode_relay(RelayNodes(self._exports.nodes)))
            self._read_what_is_wanted()

    def _answer(self, identity: bytes, ping: RelayPing, peer: Peer, came_ns: int) -> None:
        # Why the middle of what it takes to answer, as it took lately at best: the asker counts from when it
        # sent to when it received, and what lies between is to be the same before and after our reading.
        mono_ns = came_ns + min(self._answering_ns, default=0) // 2
        utc_ns = time.time_ns() - (time.monotonic_ns() - mono_ns)
        pong = RelayPong(
            self._host,
            self._session,
            peer.lines[ping.link].epoch,
            ping.sent_ns,
            mono_ns,
            utc_ns,
            peer.want_number if ping.link == SMALL_LINK else 0,
        )
        self._send(identity, encode_relay(pong))
        self._answering_ns.append(time.monotonic_ns() - came_ns)

    def _note_taken(self, peer: Peer, line: Line, taken: RelayTaken, now_ns: int) -> None:
        if isinstance(line.window, FrameWindow):
            line.window.note_taken(taken.count, taken.stale, now_ns)
        else:
            line.window.take(taken.count, now_ns)
        peer.pump(self._send, now_ns)

    def _note_wants(self, peer: Peer, want: RelayWant) -> None:
        if want.number <= peer.want_number:
            return
        newly = set(want.topics) - peer.wants
        peer.wants, peer.want_number = frozenset(want.topics), want.number
        # Why before reading on: who is already read for another host is not told again by the forwarder.
        for topic in newly:
            last = self.sources.last_of(topic) if topic.startswith(f"{STATE}/") else None
            if last is not None:
                peer.put(last)
        self._read_what_is_wanted()
        peer.pump(self._send, time.monotonic_ns())

    def _ask_here(self, identity: bytes, ask: RelayAsk) -> None:
        def reply(parts: Sequence[Buffer]) -> None:
            self._send(identity, encode_relay(RelayReply(ask.route, parts)))

        self._ask(ask.parts, reply)

    def _read_what_is_wanted(self) -> None:
        wanted = frozenset[str]().union(*(peer.wants for peer in self.peers.values()))
        self.sources.read({name: ends for name, ends in self._exports.topics.items() if name in wanted})

    def _deliver(self, outgoing: Outgoing) -> None:
        now_ns = time.monotonic_ns()
        peers = [peer for peer in self.peers.values() if outgoing.topic in peer.wants]
        if outgoing.topic.startswith("frame"):
            left_out = self._thinning.pass_on(outgoing.topic, now_ns)
            if left_out is None:
                for peer in peers:
                    peer.counters.thinned += 1
                return
            outgoing = Outgoing(outgoing.topic, outgoing.parts, outgoing.nbytes, outgoing.began_ns, left_out)
        for peer in peers:
            peer.put(outgoing)
            peer.pump(self._send, now_ns)

    def _find(self, identity: bytes) -> tuple[Peer, str]:
        for peer in self.peers.values():
            for link, line in peer.lines.items():
                if line.identity == identity:
                    return peer, link
        raise WireError("bad_topic", "from somebody who has not said who it is")

    def _send(self, identity: bytes, parts: Sequence[Any]) -> bool:
        try:
            self._socket.send_multipart([identity, *parts], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            return False
        return True

    def _say_bye(self) -> None:
        lines = [line for peer in self.peers.values() for line in peer.lines.values()]
        say_bye(self._socket, [line.identity for line in lines], self._send)
        self.peers.clear()

    def describe(self) -> Mapping[str, Any]:
        """Of each host what goes to it, for the relay's state."""
        most = TOPICS_TOLD_MAX // max(1, len(self.peers))
        return {host: _describe(peer, most) for host, peer in self.peers.items()}


def _describe(peer: Peer, topics_max: int) -> dict[str, Any]:
    frames = peer.lines.get(FRAMES_LINK)
    counters = peer.counters
    return {
        "forwarded": counters.forwarded,
        "forwarded_bytes": counters.forwarded_bytes,
        "replaced": counters.replaced,
        "dropped": counters.dropped,
        "stale": counters.stale,
        "thinned": counters.thinned,
        "window": frames.window.size if frames else 0,
        "on_their_way": frames.window.waiting if frames else 0,
        "topics": dict(peer.of_topic.most_common(topics_max)),
    }
