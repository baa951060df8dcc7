"""Publishing: never blocks, numbers every message, and knows what is wanted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zmq
from numpy.typing import DTypeLike, NDArray

from zbus.errors import TransportError, WireError
from zbus.transport._client_key import ClientKey
from zbus.transport._context import new_session
from zbus.transport._endpoints import bind, check_endpoint, connect
from zbus.transport._frame_way import FrameWay
from zbus.transport._interest import Interest
from zbus.transport._ipc import IpcName, has_ipc
from zbus.transport._link_watch import watch_link
from zbus.transport._options import FRAMES_OUT, SMALL_OUT, Link
from zbus.transport._own_socket import OwnSocket
from zbus.transport._parts import count_bytes, send_parts
from zbus.transport._resource import Resource
from zbus.transport._ring_outlet import RingOutlet, RingPlan
from zbus.wire import FRAME, RAW, Body, Buffer, Frame, Origin, Topic, encode_message

TOPICS_MAX = 4_096
# So long what subscribers want is taken to be known by a publisher of frames.
INTEREST_FRESH_S = 0.05
# And so long by one whose frame went nowhere but into shared memory.
INTEREST_NEW_S = 0.005

__all__ = ["FRAMES_OUT", "SMALL_OUT", "Publisher", "PublisherCounters"]


@dataclass(slots=True)
class PublisherCounters:
    """`dropped` could not be handed to the socket, `refused` broke the spec and was not sent.

    What is dropped for one slow subscriber only is not seen here: that subscriber sees it as a gap.
    """

    sent: int = 0
    sent_bytes: int = 0
    dropped: int = 0
    refused: int = 0


class Publisher(Resource):
    """Sends messages to whoever subscribes, at its own endpoints and through a forwarder.

    `link` is FRAMES_OUT or SMALL_OUT; `connect` are the forwarder's publish endpoints; `bind` are its own
    (port 0 takes any). With `ipc_folder` it also takes the ipc name `ipc_name` (default: `node`) there, which
    one process holds at a time. Publishers of one node share a `session`; without one it is new. `key` opens
    what it connects to where that is locked. With `ring` the pixels of raw frames are shown to subscribers of
    this machine in shared memory, one ring a camera. Acquires in `with` (or `open`), belongs to the thread
    that opened it.
    """

    def __init__(
        self,
        node: str,
        *,
        link: Link = SMALL_OUT,
        connect: Sequence[str] = (),
        bind: Sequence[str] = (),
        ipc_folder: Path | None = None,
        ipc_name: str = "",
        insecure: bool = False,
        session: str = "",
        key: ClientKey | None = None,
        ring: RingPlan | None = None,
    ) -> None:
        self._key = key
        self.node = node
        self.session = session or new_session()
        self.counters = PublisherCounters()
        self.endpoints: list[str] = []
        self._link, self._connect, self._bind, self._insecure = link, list(connect), list(bind), insecure
        name = ipc_name or node
        self._ipc = IpcName(ipc_folder, name) if ipc_folder and has_ipc(ipc_folder, name) else None
        self._own = OwnSocket("publisher")
        self._seq: dict[Topic, int] = {}
        self._interest, self._asked_s = Interest(), 0.0
        self._ring_plan = ring
        self._outlets: dict[str, RingOutlet] = {}
        self._ways: dict[Topic, FrameWay] = {}

    def open(self) -> None:
        """Bind and connect. Raises AddressInUse, ExposedAddress, TransportError."""
        for endpoint in self._connect:
            check_endpoint(endpoint)
        socket = self._own.open(zmq.XPUB, self._link)
        try:
            self._acquire(socket)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; what is still unsent after the link's linger is lost. Safe to call twice."""
        self._own.close()
        self._interest, self._asked_s = Interest(), 0.0
        self.endpoints.clear()
        # Why first out of reach: another thread may ask for a loan at this moment.
        outlets, self._outlets = self._outlets, {}
        self._ways.clear()
        for outlet in outlets.values():
            outlet.close()
        if self._ipc is not None:
            self._ipc.release()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch: it has something to read when `wants` may have changed."""
        return self._own.get()

    @property
    def offered(self) -> dict[str, int]:
        """How many messages of each topic were sent, whether or not somebody subscribed."""
        return {str(topic): seq for topic, seq in self._seq.items()}

    def send(self, topic: Topic, body: Body, *, origin: Origin | None = None) -> bool:
        """Send one message now, without ever waiting. False where it was dropped, and counted.

        A large payload is not copied: its buffer must not be written to afterwards. A relay gives the
        `origin` that the message came with. Raises WireError where the body breaks the spec; nothing was
        sent then.
        """
        socket = self._own.get()
        seq, is_frame = self._next_seq(topic), isinstance(body, Frame)
        known_s = time.monotonic() - self._asked_s if is_frame else 0.0
        if not is_frame or known_s > INTEREST_FRESH_S:
            self._interest.read(socket)
        origin = origin or Origin(self.node, self.session, seq, time.time_ns())
        try:
            messages = self._encode(topic, origin, body)
        except WireError:
            self.counters.refused += 1
            raise
        self._seq[topic] = seq + 1
        unsent = [parts for parts in messages if not send_parts(socket, parts)]
        if is_frame and (messages or known_s > INTEREST_NEW_S):
            # Why afterwards: what is asked now is known when the next frame comes, and none waits for it.
            self._interest.read(socket)
            self._asked_s = time.monotonic()
        if unsent:
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        self.counters.sent_bytes += sum(map(count_bytes, messages))
        return True

    def loan(
        self, topic: Topic, shape: Sequence[int], dtype: DTypeLike = np.uint8
    ) -> NDArray[np.generic] | None:
        """A writable array in shared memory for the next picture of a camera, from any thread.

        A frame of that array is sent without copying its pixels; the array must not be written to
        afterwards. One that is never sent needs no word. None where there is no ring, or no slot to be had:
        then any other array will do.
        """
        outlet = self.ring_of(topic)
        return None if outlet is None else outlet.loan(shape, dtype)

    def ring_of(self, topic: Topic) -> RingOutlet | None:
        """The ring of a camera's frames and what became of it; None where this publisher has none."""
        outlet = self._outlets.get(topic.source)
        if outlet is None and self._ring_plan and self._own.is_open and len(self._outlets) < TOPICS_MAX:
            # Why so: another thread that asks for a loan may come to it at the same moment.
            outlet = self._outlets.setdefault(topic.source, RingOutlet(topic.source, self._ring_plan))
        return outlet

    def send_as_is(self, parts: Sequence[Buffer]) -> bool:
        """Send a message as another publisher made it, without ever waiting. False where it was dropped.

        For relays: nothing of it is looked at, and its numbers are the other's.
        """
        socket = self._own.get()
        self._interest.read(socket)
        if not send_parts(socket, parts):
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        self.counters.sent_bytes += count_bytes(parts)
        return True

    def wanted(self) -> frozenset[bytes]:
        """The prefixes that somebody subscribes to; the empty one where they are too many to know."""
        self._interest.read(self._own.get())
        return self._interest.prefixes

    def wants(self, topic: Topic) -> bool:
        """True while somebody's subscription covers this topic."""
        self._interest.read(self._own.get())
        return self._interest.covers(topic)

    def wants_rendition(self, topic: Topic) -> bool:
        """True while somebody asked for this rendition by its name, not for everything."""
        self._interest.read(self._own.get())
        return self._interest.names_rendition(topic)

    def _acquire(self, socket: zmq.Socket[bytes]) -> None:
        if self._ipc is not None:
            self._ipc.acquire()
            self.endpoints.append(bind(socket, self._ipc.endpoint))
        self.endpoints += [bind(socket, endpoint, insecure=self._insecure) for endpoint in self._bind]
        watch_link(socket, self._connect, self._key)
        for endpoint in self._connect:
            connect(socket, endpoint, self._key)

    def _encode(self, topic: Topic, origin: Origin, body: Body) -> list[list[Buffer]]:
        """The messages to send for a body: one, or for raw frames those that somebody wants."""
        if not isinstance(body, Frame) or topic.rendition or body.codec != RAW or topic.kind != FRAME:
            return [encode_message(topic, origin, body)]
        way, outlet = self._ways.get(topic), self.ring_of(topic)
        if way is None or way.outlet is not outlet:
            way = self._ways[topic] = FrameWay(topic, outlet)
        return way.encode(self._interest, origin, body)

    def _next_seq(self, topic: Topic) -> int:
        seq = self._seq.get(topic, 0)
        if not seq and len(self._seq) >= TOPICS_MAX:
            raise TransportError(
                f"a publisher has at most {TOPICS_MAX} topics, and {topic} is one more",
                next_step="publish many sources from several publishers",
            )
        return seq
