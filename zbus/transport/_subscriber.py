"""Subscribing: the newest only, or every message in order; every gap is found and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import zmq

from zbus.errors import TransportError, WireError
from zbus.transport._client_key import ClientKey
from zbus.transport._endpoints import check_endpoint, connect, disconnect, is_exposed
from zbus.transport._gaps import Finding, GapDetector, Overrun, Repeat
from zbus.transport._lifespan import Lifespan
from zbus.transport._link_watch import watch_link
from zbus.transport._options import FRAMES_IN, SMALL_IN
from zbus.transport._own_socket import OwnSocket
from zbus.transport._parts import can_read, count_bytes, recv_parts
from zbus.transport._resource import Resource, to_ms
from zbus.transport._ring_file import has_ring
from zbus.transport._ring_inlet import RingInlet, RingPixels, RingUse, cameras_by_ring
from zbus.transport._subscriber_counters import SubscriberCounters
from zbus.transport._waiting import InOrder, NewestOfEach, Queue, Waiting
from zbus.wire import FRAME, AnyBody, Buffer, Message, Origin, Topic, decode_body, decode_message

LATEST, EVERY = "latest", "every"
COPY, VIEW, OFF = "copy", "view", "off"
TOPIC_MAX_BYTES = 128
LIFESPAN_LATEST_S = 0.2
DEPTH_FRAMES = 16
DEPTH_SMALL = 10_000
DRAIN_MAX = 256
DRAIN_MAX_S = 0.02
DRAIN_EACH_S = 0.05
# What is held up behind a full queue comes within so long, or there is nothing.
SETTLE_MS = 1

Policy = Literal["latest", "every"]


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it was handed over: its topic, who sent it, its body, and when it came (monotonic)."""

    topic: Topic
    origin: Origin
    body: AnyBody | None
    received_mono_ns: int


class Subscriber(Resource):
    """Receives the messages of some topics.

    `topics` are prefixes such as `frame/cam1/`. Policy `latest` (the default) hands over only the newest
    message of each topic; `every` hands over all in order, keeping at most `depth` waiting and dropping the
    oldest beyond. `key` opens what is locked. Acquires in `with` (or `open`); belongs to the thread that
    opened it.

    The pixels of single cameras (`frame/cam1/`) of this machine come through shared memory where that is
    possible, and inline everywhere else. With `ring` "copy" (the default) a frame is the receiver's own; with
    "view" it lies in shared memory and may be written over a ring's length later: ask `frame.valid()` after
    its use; "off" takes all inline. Frames of this host's clock that are older than `lifespan_s` are not
    handed over (None: 0.2 s for the policy latest, for ever for every; 0: for ever).
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        topics: str | Sequence[str],
        *,
        policy: Policy = LATEST,
        depth: int = 0,
        on_finding: Callable[[Finding], None] | None = None,
        key: ClientKey | None = None,
        ring: RingUse = COPY,
        lifespan_s: float | None = None,
    ) -> None:
        self._key = key
        if policy not in (LATEST, EVERY):
            raise ValueError(f"the policy is {policy!r}, not 'latest' or 'every'")
        if ring not in (COPY, VIEW, OFF):
            raise ValueError(f"ring is {ring!r}, not 'copy', 'view' or 'off'")
        self._endpoints = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        # Why once each: a prefix subscribed twice has to be given back twice.
        self._topics = list(dict.fromkeys([topics] if isinstance(topics, str) else topics))
        has_frames = any(topic.startswith(FRAME) or FRAME.startswith(topic) for topic in self._topics)
        depth = depth or (DEPTH_FRAMES if has_frames else DEPTH_SMALL)
        self._link = FRAMES_IN if has_frames else SMALL_IN
        if has_frames and policy == EVERY:
            # Why: who wants every frame needs room for them while it is held up, not only when it reads.
            self._link = replace(FRAMES_IN, depth=depth)
        self._waiting: Queue = NewestOfEach() if policy == LATEST else InOrder(depth)
        self._newest_only, self._drain_due_s = policy == LATEST, 0.0
        if lifespan_s is None:
            lifespan_s = LIFESPAN_LATEST_S if policy == LATEST else 0.0
        is_local = not any(map(is_exposed, self._endpoints))
        self._lifespan = Lifespan(lifespan_s, is_local=is_local)
        self._ring: RingUse = ring if is_local and has_ring() else OFF
        # Why at once: what waits in a queue of one's own must not be written over there.
        self._keeps = ring == COPY and policy == EVERY
        self._inlets: dict[bytes, RingInlet] = {}
        self._on_finding = on_finding
        self._gaps = GapDetector()
        self._own = OwnSocket("subscriber")
        self.counters = SubscriberCounters()

    def open(self) -> None:
        """Connect and subscribe. Raises TransportError for what is not an endpoint or not a topic."""
        endpoints = [check_endpoint(endpoint) for endpoint in self._endpoints]
        prefixes = [_prefix(topic) for topic in self._topics]
        socket = self._own.open(zmq.SUB, self._link)
        cameras = [] if self._ring == OFF else cameras_by_ring(self._topics)
        inlets = [RingInlet(topic, self._subscribe, is_view=self._ring == VIEW) for topic in cameras]
        self._inlets = {name: inlet for inlet in inlets for name in inlet.topics}
        try:
            for inlet in inlets:
                inlet.open()
            for prefix in set(prefixes) - {topic.encode() for topic in cameras}:
                socket.setsockopt(zmq.SUBSCRIBE, prefix)
            watch_link(socket, endpoints, self._key)
            for endpoint in endpoints:
                connect(socket, endpoint, self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        self._own.close()
        self._inlets.clear()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        return self._own.get()

    def connect(self, endpoint: str) -> None:
        """Listen to one more publisher. Raises TransportError for what is not an endpoint."""
        connect(self.socket, endpoint, self._key)
        self._lifespan.is_local &= not is_exposed(endpoint)

    def disconnect(self, endpoint: str) -> None:
        """Stop listening to one publisher; what came from it already is still handed over.

        Raises TransportError where it was not listened to.
        """
        disconnect(self.socket, endpoint)

    def recv(self, timeout_s: float | None = None) -> Received | None:
        """The next message; None where none came within `timeout_s`. Blocks; None waits for ever.

        A message that breaks the spec is counted in `counters.refused` and not handed over.
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._drain_if_due()
            received = self._pop()
            if received is not None:
                return received
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                # Why before the poll: a flood of what is refused would else be waited out.
                return None
            parts = recv_parts(self.socket, -1 if left_s is None else to_ms(left_s))
            if parts is not None:
                self._take_in(parts)

    def take(self) -> list[Received]:
        """Everything there is to hand over now, without waiting; for use inside a reactor."""
        self._drain()
        taken: list[Received] = []
        while (received := self._pop()) is not None:
            taken.append(received)
        return taken

    def __iter__(self) -> Iterator[Received]:
        while True:
            received = self.recv()
            if received is not None:
                yield received

    def _drain_if_due(self) -> None:
        """Read all that has arrived where the newest counts or some time went by, else one where none waits.

        Why: to read and hand over one by one costs half, and who comes seldom needs room for what comes.
        """
        now_s = time.monotonic()
        if self._newest_only or now_s >= self._drain_due_s:
            self._drain_due_s = now_s + DRAIN_EACH_S
            self._drain()
        elif not len(self._waiting):
            self._read(1)

    def _drain(self) -> None:
        """Read what has arrived, at most DRAIN_MAX messages so that a flood cannot hold the caller.

        Where the newest counts and the queue was full, it is not in there yet: what is held up behind the
        queue comes as soon as there is room, and is read too.
        """
        count = self._read(DRAIN_MAX)
        # Why half: libzmq counts what was read in steps of half a queue, and takes it for full until then.
        if self._newest_only and count >= self._link.depth // 2:
            while count < DRAIN_MAX and self.socket.poll(SETTLE_MS):
                count += self._read(DRAIN_MAX - count)

    def _read(self, count: int) -> int:
        """Read at most `count` of what has arrived, and not for long; returns how many there were."""
        socket, until_s = self.socket, time.monotonic() + DRAIN_MAX_S
        for number in range(count):
            # Why also by time: large pictures may come as fast as they are copied, and would never end.
            if number and time.monotonic() > until_s:
                return number
            # Why asked first: that there is nothing costs three times as much to be told by an exception.
            parts = recv_parts(socket) if not number or can_read(socket) else None
            if parts is None:
                return number
            self._take_in(parts)
        return count

    def _take_in(self, parts: list[Buffer]) -> None:
        now_ns = time.monotonic_ns()
        try:
            found = self._find_pixels(parts)
        except WireError as error:
            self.counters.refuse(error.reason)
            return
        if found is None:
            return
        message, pixels = found
        self.counters.received += 1
        finding = self._gaps.observe(message, now_ns)
        if isinstance(finding, Repeat):
            self.counters.repeated += 1
            return
        self._note(finding)
        nbytes = count_bytes(parts)
        if pixels is not None and self._keeps:
            if not self._keep(message, pixels):
                return
            nbytes += pixels.nbytes
        self.counters.skipped += self._waiting.put(Waiting(message, now_ns, nbytes, pixels))

    def _find_pixels(self, parts: list[Buffer]) -> tuple[Message, RingPixels | None] | None:
        """The message, and its pixels where it is a notice; None for a notice that leads nowhere."""
        inlet = self._inlets.get(bytes(parts[0][:TOPIC_MAX_BYTES])) if self._inlets else None
        if inlet is None or len(parts) < 2:
            return decode_message(parts), None
        return inlet.take_parts(parts)

    def _keep(self, message: Message, pixels: RingPixels) -> bool:
        try:
            if pixels.keep():
                return True
            self._note(Overrun(str(message.topic), message.origin.seq))
        except WireError as error:
            self.counters.refuse(error.reason)
        return False

    def _pop(self) -> Received | None:
        """The next message that decodes, oldest first."""
        while (waiting := self._waiting.pop()) is not None:
            message, pixels = waiting.message, waiting.pixels
            if self._lifespan.is_over(message):
                self.counters.stale += 1
                continue
            try:
                body = decode_body(message) if pixels is None else pixels.read()
            except WireError as error:
                self.counters.refuse(error.reason)
                continue
            if body is None and pixels is not None:
                self._note(Overrun(str(message.topic), message.origin.seq))
                continue
            self.counters.delivered += 1
            return Received(message.topic, message.origin, body, waiting.came_ns)
        return None

    def _subscribe(self, prefix: bytes, is_on: bool) -> None:
        self.socket.setsockopt(zmq.SUBSCRIBE if is_on else zmq.UNSUBSCRIBE, prefix)

    def _note(self, finding: Finding | None) -> None:
        if finding is None:
            return
        self.counters.note(finding)
        if self._on_finding is not None:
            self._on_finding(finding)


def _prefix(topic: str) -> bytes:
    try:
        return topic.encode("ascii")
    except UnicodeEncodeError:
        raise TransportError(
            f"{topic!r} cannot begin a topic", next_step="write it like frame/cam1/ or state/"
        ) from None
