"""Publishing: never blocks, numbers every message, and knows what is wanted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import zmq

from zbus.errors import WireError
from zbus.transport._context import make_socket, new_session
from zbus.transport._endpoints import IpcName, bind, check_endpoint, has_ipc
from zbus.transport._options import FRAMES_OUT, SMALL_OUT, Link
from zbus.transport._resource import Resource
from zbus.wire import Body, Origin, Topic, encode_message

SUBSCRIPTIONS_MAX = 4_096

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
    (port 0 takes any). With `ipc_folder` it also takes the ipc name `<node>-<name>` there, which one process
    holds at a time. Acquires in `with` (or `open`), belongs to the thread that opened it.
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
    ) -> None:
        self.node = node
        self.session = new_session()
        self.counters = PublisherCounters()
        self.endpoints: list[str] = []
        self._link, self._connect, self._bind, self._insecure = link, list(connect), list(bind), insecure
        self._ipc = (
            IpcName(ipc_folder, ipc_name or node) if ipc_folder and has_ipc(ipc_folder, node) else None
        )
        self._socket: zmq.Socket[bytes] | None = None
        self._seq: dict[Topic, int] = {}
        self._wanted: set[bytes] = set()

    def open(self) -> None:
        """Bind and connect. Raises AddressInUse, ExposedAddress, TransportError."""
        self._socket = make_socket(zmq.XPUB, self._link)
        try:
            self._acquire(self._socket)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; what is unsent is lost. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._ipc is not None:
            self._ipc.release()

    def send(self, topic: Topic, body: Body) -> bool:
        """Send one message now, without ever waiting. False where it was dropped, and counted.

        A large payload is not copied: its buffer must not be written to afterwards. Raises WireError
        where the body breaks the spec; nothing was sent then.
        """
        socket = self._opened()
        seq = self._seq.get(topic, 0)
        try:
            parts = encode_message(topic, Origin(self.node, self.session, seq, time.time_ns()), body)
        except WireError:
            self.counters.refused += 1
            raise
        self._seq[topic] = seq + 1
        # Why: libzmq looks at most once a millisecond at what subscribers have taken; asking for events makes
        # it look now, without which a short queue counts as full and drops what there is room for.
        self._read_subscriptions()
        try:
            socket.send_multipart(parts, flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self.counters.dropped += 1
            return False
        self.counters.sent += 1
        self.counters.sent_bytes += sum(map(len, parts))
        return True

    def wants(self, topic: Topic) -> bool:
        """True while somebody's subscription covers this topic."""
        self._read_subscriptions()
        name = topic.encode()
        return len(self._wanted) >= SUBSCRIPTIONS_MAX or any(
            name.startswith(prefix) for prefix in self._wanted
        )

    def wants_rendition(self, topic: Topic) -> bool:
        """True while somebody asked for this rendition by its name, not for everything."""
        self._read_subscriptions()
        name, start = topic.encode(), f"{topic.kind}.{topic.rendition}/".encode()
        return any(prefix.startswith(start) and name.startswith(prefix) for prefix in self._wanted)

    def _acquire(self, socket: zmq.Socket[bytes]) -> None:
        if self._ipc is not None:
            self._ipc.acquire()
            self.endpoints.append(bind(socket, self._ipc.endpoint))
        self.endpoints += [bind(socket, endpoint, insecure=self._insecure) for endpoint in self._bind]
        for endpoint in self._connect:
            socket.connect(check_endpoint(endpoint))

    def _read_subscriptions(self) -> None:
        socket = self._opened()
        while int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            notice = socket.recv()
            prefix = notice[1:]
            if notice[:1] == b"\x01" and len(self._wanted) < SUBSCRIPTIONS_MAX:
                self._wanted.add(prefix)
            elif notice[:1] == b"\x00":
                self._wanted.discard(prefix)

    def _opened(self) -> zmq.Socket[bytes]:
        if self._socket is None:
            raise RuntimeError("the publisher is not open: use it in a with statement")
        return self._socket
