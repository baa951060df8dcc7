"""Subscribing: the newest only, or every message in order; every gap is found and counted."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import zmq

from zbus.errors import WireError
from zbus.transport._context import make_socket
from zbus.transport._endpoints import check_endpoint
from zbus.transport._gaps import TOPICS_MAX, Duplicate, Finding, Gap, GapDetector
from zbus.transport._options import FRAMES_IN, SMALL_IN
from zbus.transport._resource import Resource, to_ms
from zbus.wire import FRAME, AnyBody, Message, Origin, Topic, decode_body, decode_message

LATEST, EVERY = "latest", "every"
DEPTH_FRAMES = 16
DEPTH_SMALL = 10_000
DRAIN_MAX = 256
REASONS_MAX = 64

Policy = Literal["latest", "every"]


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it was handed over: its topic, who sent it, its body, and when it came (monotonic)."""

    topic: Topic
    origin: Origin
    body: AnyBody | None
    received_mono_ns: int


@dataclass(slots=True)
class SubscriberCounters:
    """What became of the messages of one subscriber.

    `lost` messages are missing in `gaps` places (the bus dropped them); `skipped` were passed over for
    newer ones (latest) or for want of room (every); `refused` counts by reason what broke the spec.
    """

    received: int = 0
    delivered: int = 0
    gaps: int = 0
    lost: int = 0
    restarts: int = 0
    duplicates: int = 0
    skipped: int = 0
    refused: dict[str, int] = field(default_factory=dict[str, int])


class Subscriber(Resource):
    """Receives the messages of some topics.

    `topics` are prefixes such as `frame/cam1/`. Policy `latest` (the default) hands over only the newest
    message of each topic; `every` hands over all in order, keeping at most `depth` waiting and dropping the
    oldest beyond. Acquires in `with` (or `open`); belongs to the thread that opened it.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        topics: str | Sequence[str],
        *,
        policy: Policy = LATEST,
        depth: int = 0,
        on_finding: Callable[[Finding], None] | None = None,
    ) -> None:
        self._endpoints = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        self._topics = [topics] if isinstance(topics, str) else list(topics)
        has_frames = any(topic.startswith(FRAME) or FRAME.startswith(topic) for topic in self._topics)
        self._link = FRAMES_IN if has_frames else SMALL_IN
        self._depth = depth or (DEPTH_FRAMES if has_frames else DEPTH_SMALL)
        self._policy = policy
        self._on_finding = on_finding
        self._gaps = GapDetector()
        self._newest: OrderedDict[Topic, tuple[Message, int]] = OrderedDict()
        self._waiting: deque[tuple[Message, int]] = deque()
        self._socket: zmq.Socket[bytes] | None = None
        self.counters = SubscriberCounters()

    def open(self) -> None:
        """Connect and subscribe. Raises TransportError for what is not an endpoint."""
        endpoints = [check_endpoint(endpoint) for endpoint in self._endpoints]
        self._socket = make_socket(zmq.SUB, self._link)
        for topic in self._topics:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic.encode("ascii"))
        for endpoint in endpoints:
            self._socket.connect(endpoint)

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        if self._socket is None:
            raise RuntimeError("the subscriber is not open: use it in a with statement")
        return self._socket

    def connect(self, endpoint: str) -> None:
        """Listen to one more publisher."""
        self.socket.connect(check_endpoint(endpoint))

    def disconnect(self, endpoint: str) -> None:
        """Stop listening to one publisher; what came from it already is still handed over."""
        self.socket.disconnect(endpoint)

    def recv(self, timeout_s: float | None = None) -> Received | None:
        """The next message; None where none came within `timeout_s`. Blocks; None waits for ever.

        A message that breaks the spec is counted in `counters.refused` and not handed over.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._drain()
            received = self._pop()
            if received is not None:
                return received
            left_ms = None if deadline is None else to_ms(deadline - time.monotonic())
            if not self.socket.poll(left_ms) and left_ms is not None:
                return None

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

    def _drain(self) -> None:
        """Read what has arrived, at most DRAIN_MAX messages so that a flood cannot hold the caller."""
        socket = self.socket
        for _ in range(DRAIN_MAX):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._take_in([frames[0].bytes, *(frame.buffer for frame in frames[1:])])

    def _take_in(self, parts: list[bytes | memoryview]) -> None:
        now_ns = time.monotonic_ns()
        try:
            message = decode_message(parts)
        except WireError as error:
            self._refuse(error.reason)
            return
        self.counters.received += 1
        self._note(self._gaps.observe(message, now_ns))
        if self._policy == LATEST:
            self.counters.skipped += message.topic in self._newest
            self._newest[message.topic] = (message, now_ns)
            self._newest.move_to_end(message.topic)
            self._bound(self._newest, TOPICS_MAX)
        else:
            self._waiting.append((message, now_ns))
            if len(self._waiting) > self._depth:
                self._waiting.popleft()
                self.counters.skipped += 1

    def _bound(self, newest: OrderedDict[Topic, tuple[Message, int]], limit: int) -> None:
        if len(newest) > limit:
            newest.popitem(last=False)
            self.counters.skipped += 1

    def _pop(self) -> Received | None:
        """The next message that decodes, oldest first."""
        while self._newest or self._waiting:
            if self._waiting:
                message, came_ns = self._waiting.popleft()
            else:
                message, came_ns = self._newest.popitem(last=False)[1]
            try:
                body = decode_body(message)
            except WireError as error:
                self._refuse(error.reason)
                continue
            self.counters.delivered += 1
            return Received(message.topic, message.origin, body, came_ns)
        return None

    def _refuse(self, reason: str) -> None:
        refused = self.counters.refused
        if reason in refused or len(refused) < REASONS_MAX:
            refused[reason] = refused.get(reason, 0) + 1

    def _note(self, finding: Finding | None) -> None:
        if finding is None:
            return
        if isinstance(finding, Gap):
            self.counters.gaps += 1
            self.counters.lost += finding.lost
        elif isinstance(finding, Duplicate):
            self.counters.duplicates += 1
        else:
            self.counters.restarts += 1
        if self._on_finding is not None:
            self._on_finding(finding)
