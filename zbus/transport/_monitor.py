"""What happens to a socket's connections: counted, for the state of its node."""

from __future__ import annotations

from dataclasses import dataclass, replace

import zmq
from zmq.utils.monitor import recv_monitor_message

from zbus.transport._client_key import ClientKey
from zbus.transport._context import new_session
from zbus.transport._options import SMALL_IN
from zbus.transport._own_socket import OwnSocket
from zbus.transport._refusal import HANDSHAKE_FAILURES, Refusal, read_refusal
from zbus.transport._resource import Resource

_WATCHED = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | HANDSHAKE_FAILURES
    | zmq.EVENT_ACCEPT_FAILED
)
READ_MAX = 256

# Why so many: libzmq waits where this queue is full, and with it the network of the whole process. A thousand
# connections while the loop is busy would do with the usual length.
EVENTS_WAITING_MAX = 1_000_000
EVENTS_LINK = replace(SMALL_IN, depth=EVENTS_WAITING_MAX)


@dataclass(slots=True)
class ConnectionCounters:
    """Connections of one socket since it was opened."""

    connected: int = 0
    disconnected: int = 0
    handshakes_failed: int = 0
    accepts_failed: int = 0


class ConnectionMonitor(Resource):
    """Counts the connections of a socket. `socket` is for a reactor to watch, `read` its callback.

    `failure` is the last handshake that failed, as event and value, unless one succeeded after it.

    Opened before the watched socket binds or connects, closed before that one closes.
    """

    def __init__(self, watched: zmq.Socket[bytes]) -> None:
        self._watched = watched
        self._own = OwnSocket("connection monitor")
        self.counters = ConnectionCounters()
        self.failure: tuple[int, int] | None = None

    def open(self) -> None:
        """Start counting."""
        address = f"inproc://monitor-{new_session()}"
        self._watched.monitor(address, _WATCHED)
        self._own.open(zmq.PAIR, EVENTS_LINK).connect(address)

    def close(self) -> None:
        """Stop counting. Safe to call twice."""
        if self._own.is_open:
            self._watched.disable_monitor()
            self._own.close()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """The socket, for a reactor to watch."""
        return self._own.get()

    def refusal(self, endpoint: str, key: ClientKey | None) -> Refusal | None:
        """Why `endpoint` did not let the watched socket in, of what was read so far; None where it did."""
        return None if self.failure is None else read_refusal(*self.failure, endpoint, key)

    def read(self) -> None:
        """Count what has happened, without waiting."""
        for _ in range(READ_MAX):
            try:
                message = recv_monitor_message(self.socket, zmq.NOBLOCK)
            except zmq.Again:
                return
            self._count(int(message["event"]), int(message["value"]))

    def _count(self, event: int, value: int) -> None:
        if event in (zmq.EVENT_ACCEPTED, zmq.EVENT_CONNECTED):
            self.counters.connected += 1
        elif event == zmq.EVENT_DISCONNECTED:
            self.counters.disconnected += 1
        elif event == zmq.EVENT_ACCEPT_FAILED:
            self.counters.accepts_failed += 1
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.failure = None
        elif event != zmq.EVENT_MONITOR_STOPPED:
            self.counters.handshakes_failed += 1
            self.failure = (event, value)
