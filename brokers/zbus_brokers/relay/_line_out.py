"""One of the two links to another host's relay: connected again whenever it has to be, and pinged."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

import zmq

from zbus.errors import WireError
from zbus.transport import (
    RELAY_SMALL,
    ClientKey,
    ConnectionMonitor,
    Link,
    Reactor,
    Refusal,
    Resource,
    connect,
    make_socket,
)
from zbus.wire import RelayMessage, RelayPing, RelayPong, RelayTaken, decode_relay, encode_relay

PING_PERIOD_NS = 250_000_000
# Why sooner while nobody answers: a connection is usable when the first ping comes back.
HURRY_PERIOD_NS = 50_000_000
# Why some in a row: who is awake already answers sooner, and as fast on one way as on the other.
PINGS_IN_A_ROW = 4
TAKE_MAX = 64
PINGS_KEPT = 64
MAKINGS_KEPT = 16
# So many small messages are taken before that is told at once; else a ping's time is soon enough.
TELL_TAKEN_EVERY = 64


class LineOut(Resource):
    """A DEALER to `endpoint`; `on_message` is given what came, the parts it carries as they are in memory.

    `came_ns` is when the last message came. Counts of what was taken begin anew with each epoch that a pong
    tells. `refusal` is why the other side did not let us in, at this try or at the one before it. Belongs
    to the thread of `reactor`.
    """

    def __init__(
        self,
        endpoint: str,
        who: Callable[[int], RelayPing],
        reactor: Reactor,
        on_message: Callable[[RelayMessage], None],
        key: ClientKey | None = None,
        options: Link = RELAY_SMALL,
    ) -> None:
        self._key, self._options = key, options
        self._endpoint, self._who, self._reactor, self._on_message = endpoint, who, reactor, on_message
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: ConnectionMonitor | None = None
        self.refusal: Refusal | None = None
        self._pings: OrderedDict[int, None] = OrderedDict()
        self._pinged_ns = self._in_a_row = 0
        self.heard_ns = 0
        self.epoch = ""
        self.taken = self.stale = self.refused = 0
        self._told = self.came_ns = 0
        self._making_ns: deque[int] = deque(maxlen=MAKINGS_KEPT)

    def open(self) -> None:
        """Begin to connect. Raises TransportError for what is not an endpoint."""
        socket = make_socket(zmq.DEALER, self._options)
        monitor = ConnectionMonitor(socket)
        try:
            monitor.open()
            connect(socket, self._endpoint, self._key)
        except BaseException:
            monitor.close()
            socket.close(linger=0)
            raise
        self._socket, self._monitor = socket, monitor
        self._reactor.watch(socket, self._take)
        self._pings.clear()
        self.heard_ns, self._pinged_ns, self.epoch = time.monotonic_ns(), 0, ""

    def close(self) -> None:
        """Disconnect, and throw away what waits. Safe to call twice."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        if self._socket is not None:
            self._reactor.unwatch(self._socket)
            self._socket.close(linger=0)
            self._socket = None

    def reopen(self) -> None:
        """Connect anew: nothing that is on its way now is handed over any more."""
        self.refusal = self._refusal_now()
        self.close()
        self.open()

    def _refusal_now(self) -> Refusal | None:
        if self._monitor is None:
            return None
        self._monitor.read()
        return self._monitor.refusal(self._endpoint, self._key)

    def ping(self, now_ns: int) -> None:
        """Ping where it is time, and see whether we are let in."""
        self.refusal = self._refusal_now() or self.refusal
        period_ns = PING_PERIOD_NS if self.epoch else HURRY_PERIOD_NS
        if now_ns - self._pinged_ns < period_ns:
            return
        self._pinged_ns, self._in_a_row = now_ns, 1
        self._ping()
        self.tell_taken()

    def _ping(self) -> None:
        # Why later: making it takes a while, as it did lately at best; how long that is, few do not tell.
        began_ns = time.monotonic_ns()
        is_known = len(self._making_ns) == MAKINGS_KEPT
        sent_ns = began_ns + (min(self._making_ns) if is_known else 0)
        if self.send(self._who(sent_ns)):
            self._making_ns.append(time.monotonic_ns() - began_ns)
            self._pings[sent_ns] = None
            if len(self._pings) > PINGS_KEPT:
                self._pings.popitem(last=False)

    def send(self, message: RelayMessage) -> bool:
        """Send without waiting; False where there is no connection now."""
        if self._socket is None:
            return False
        try:
            self._socket.send_multipart(encode_relay(message), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def note_taken(self, *, is_stale: bool, at_once: bool) -> None:
        """One `data` was taken; tell it now, or with some others."""
        self.taken += 1
        self.stale += is_stale
        if at_once or self.taken - self._told >= TELL_TAKEN_EVERY:
            self.tell_taken()

    def tell_taken(self) -> None:
        """Tell how many were taken, where that has changed."""
        if self.taken != self._told and self.send(RelayTaken(self.taken, self.stale)):
            self._told = self.taken

    def note_pong(self, pong: RelayPong) -> bool:
        """True where this answers a ping of ours; counts begin anew where the epoch is another one.

        Why `heard_ns` goes by these alone: while only the way there is cut, other messages still come.
        """
        if pong.sent_ns not in self._pings:
            return False
        del self._pings[pong.sent_ns]
        self.heard_ns, self.refusal = time.monotonic_ns(), None
        if pong.epoch != self.epoch:
            self.epoch = pong.epoch
            self.taken = self.stale = self._told = 0
        return True

    def ping_on(self) -> None:
        """Ping again at once, where it is not enough in a row yet."""
        if self._in_a_row < PINGS_IN_A_ROW:
            self._in_a_row += 1
            self._ping()

    def _take(self) -> None:
        for _ in range(TAKE_MAX):
            if self._socket is None:
                # Why: what came may have closed it.
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self.came_ns = time.monotonic_ns()
            self._read([frame.buffer for frame in frames])

    def _read(self, parts: Sequence[memoryview]) -> None:
        try:
            self._on_message(decode_relay(parts))
        except WireError:
            self.refused += 1
