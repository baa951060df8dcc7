"""Subscribing: the newest only, or every message in order; every gap is found and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import zmq

from zbus.errors import WireError
from zbus.transport._client_key import ClientKey
from zbus.transport._endpoints import check_endpoint, check_prefix, connect, disconnect, is_exposed
from zbus.transport._gaps import Finding
from zbus.transport._inbox import Inbox
from zbus.transport._lifespan import Lifespan
from zbus.transport._link_watch import watch_link
from zbus.transport._options import FRAMES_IN, SMALL_IN
from zbus.transport._own_socket import OwnSocket
from zbus.transport._parts import can_read, count_bytes, recv_parts
from zbus.transport._resource import Resource, to_ms
from zbus.transport._ring_file import has_ring
from zbus.transport._ring_inlet import RingInlet, RingPixels, RingUse, cameras_by_ring
from zbus.transport._subscriber_counters import SubscriberCounters
from zbus.transport._waiting import InOrder, NewestOfEach, Queue, Received
from zbus.wire import FRAME, Buffer, Message, decode_message

LATEST, EVERY = "latest", "every"
COPY, VIEW, OFF = "copy", "view", "off"
TOPIC_MAX_BYTES = 128
LIFESPAN_LATEST_S = 0.2
DEPTH_FRAMES = 16
DEPTH_SMALL = 10_000
DRAIN_MAX = 256
DRAIN_MAX_S = 0.02
DRAIN_EACH_S = 0.05
# Who waits at a bell looks at its socket so often: for another ring, or pixels inline.
BELL_SLICE_S = 0.05
# What is held up behind a full queue comes within so long, or there is nothing.
SETTLE_MS = 1

Policy = Literal["latest", "every"]


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
        self._inlets: dict[bytes, RingInlet] = {}
        self._inlet: RingInlet | None = None
        self._bell_inlet: RingInlet | None = None
        self._own = OwnSocket("subscriber")
        self.counters = SubscriberCounters()
        # Why kept at once: what waits in a queue of one's own must not be written over there.
        keeps = ring == COPY and policy == EVERY
        self._inbox = Inbox(self._waiting, self._lifespan, self.counters, on_finding, keeps=keeps)

    def open(self) -> None:
        """Connect and subscribe. Raises TransportError for what is not an endpoint or not a topic."""
        endpoints = [check_endpoint(endpoint) for endpoint in self._endpoints]
        prefixes = [check_prefix(topic) for topic in self._topics]
        socket = self._own.open(zmq.SUB, self._link)
        cameras = [] if self._ring == OFF else cameras_by_ring(self._topics)
        inlets = [RingInlet(topic, self._subscribe, is_view=self._ring == VIEW) for topic in cameras]
        self._inlets = {name: inlet for inlet in inlets for name in inlet.topics}
        # Why one camera alone: nobody can wait at two places.
        self._inlet = self._bell_inlet = inlets[0] if len(inlets) == len(prefixes) == 1 else None
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
        self._inlet = self._bell_inlet = None

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        self._leave_bell()
        return self._own.get()

    def connect(self, endpoint: str) -> None:
        """Listen to one more publisher. Raises TransportError for what is not an endpoint."""
        connect(self._own.get(), endpoint, self._key)
        self._lifespan.is_local &= not is_exposed(endpoint)

    def disconnect(self, endpoint: str) -> None:
        """Stop listening to one publisher; what came from it already is still handed over.

        Raises TransportError where it was not listened to.
        """
        disconnect(self._own.get(), endpoint)

    def recv(self, timeout_s: float | None = None) -> Received | None:
        """The next message; None where none came within `timeout_s`. Blocks; None waits for ever.

        A message that breaks the spec is counted in `counters.refused` and not handed over.
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            received = self._take_one()
            if received is None:
                self._read_if_due()
                received = self._inbox.pop()
            if received is not None:
                return received
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                # Why before the poll: a flood of what is refused would else be waited out.
                return None
            self._wait(left_s)

    def take(self) -> list[Received]:
        """Everything there is to hand over now, without waiting; for use inside a reactor."""
        self._leave_bell()
        self._read_board()
        self._drain()
        taken: list[Received] = []
        while (received := self._inbox.pop()) is not None:
            taken.append(received)
        return taken

    def __iter__(self) -> Iterator[Received]:
        while True:
            received = self.recv()
            if received is not None:
                yield received

    def _wait(self, timeout_s: float | None) -> None:
        """Wait for something to read, at the bell not the whole time."""
        inlet = self._bell_inlet
        if inlet is not None:
            if inlet.bell.board is not None:
                slice_s = BELL_SLICE_S if timeout_s is None else min(timeout_s, BELL_SLICE_S)
                if not inlet.bell.board.wait(slice_s):
                    self._drain_due_s = 0.0
                return
            inlet.wait_at_bell()
        parts = recv_parts(self._own.get(), -1 if timeout_s is None else to_ms(timeout_s))
        if parts is not None:
            self._take_in(parts)

    def _leave_bell(self) -> None:
        """Have all come by the socket from now on: somebody watches it, or looks without waiting."""
        inlet, self._bell_inlet = self._bell_inlet, None
        if inlet is not None:
            inlet.bell.leave()

    def _take_one(self) -> Received | None:
        """The frame of the only notice on the board, where nothing else is due."""
        inlet = self._inlet
        if inlet is None or (board := inlet.bell.board) is None or board.waiting != 1 or len(self._waiting):
            return None
        now_ns = time.monotonic_ns()
        if now_ns > (self._drain_due_s + DRAIN_EACH_S) * 1e9 or (data := board.read()) is None:
            return None
        try:
            found = inlet.take_frame(data)
            if found is not None:
                return self._inbox.pass_through(*found, now_ns)
            self._put(inlet.take_entry(data), len(data), now_ns)
        except WireError as error:
            self.counters.refuse(error.reason)
        return None

    def _put(self, found: tuple[Message, RingPixels | None] | None, nbytes: int, now_ns: int) -> None:
        if found is not None:
            self._inbox.put(*found, nbytes, now_ns)

    def _read_if_due(self) -> None:
        """Read all that has arrived where the newest counts or some time went by, else one where none waits.

        Why: to read and hand over one by one costs half, and who comes seldom needs room for what comes.
        """
        now_s = time.monotonic()
        is_due = now_s >= self._drain_due_s
        if self._inlet is not None and self._inlet.bell.board is not None:
            self._read_board(DRAIN_MAX if is_due or self._newest_only else int(not len(self._waiting)))
            # Why not at once where something waits: what comes by the socket now is not urgent.
            is_due &= not len(self._waiting) or now_s >= self._drain_due_s + DRAIN_EACH_S
        elif not is_due and not self._newest_only and not len(self._waiting):
            self._read(1)
        else:
            is_due |= self._newest_only
        if is_due:
            self._drain_due_s = now_s + DRAIN_EACH_S
            self._drain()

    def _read_board(self, count: int = DRAIN_MAX) -> None:
        """Take in at most `count` notices of the only camera's board, where they come that way."""
        inlet = self._inlet
        for _ in range(count):
            data = None if inlet is None or inlet.bell.board is None else inlet.bell.board.read()
            if inlet is None or data is None:
                return
            now_ns = time.monotonic_ns()
            try:
                self._put(inlet.take_entry(data), len(data), now_ns)
            except WireError as error:
                self.counters.refuse(error.reason)

    def _drain(self) -> None:
        """Read what has arrived, at most DRAIN_MAX messages so that a flood cannot hold the caller.

        Where the newest counts and the queue was full, it is not in there yet: what is held up behind the
        queue comes as soon as there is room, and is read too.
        """
        count = self._read(DRAIN_MAX)
        # Why half: libzmq counts what was read in steps of half a queue, and takes it for full until then.
        if self._newest_only and count >= self._link.depth // 2:
            while count < DRAIN_MAX and self._own.get().poll(SETTLE_MS):
                count += self._read(DRAIN_MAX - count)

    def _read(self, count: int) -> int:
        """Read at most `count` of what has arrived, and not for long; returns how many there were."""
        socket, until_s = self._own.get(), time.monotonic() + DRAIN_MAX_S
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
        # Why before it: what is on the board was sent before.
        self._read_board()
        try:
            self._put(self._find_pixels(parts), count_bytes(parts), now_ns)
        except WireError as error:
            self.counters.refuse(error.reason)

    def _find_pixels(self, parts: list[Buffer]) -> tuple[Message, RingPixels | None] | None:
        """The message, and its pixels where it is a notice; None for a notice that leads nowhere."""
        inlet = self._inlets.get(bytes(parts[0][:TOPIC_MAX_BYTES])) if self._inlets else None
        if inlet is None or len(parts) < 2:
            return decode_message(parts), None
        return inlet.take_parts(parts)

    def _subscribe(self, prefix: bytes, is_on: bool) -> None:
        self._own.get().setsockopt(zmq.SUBSCRIBE if is_on else zmq.UNSUBSCRIBE, prefix)
