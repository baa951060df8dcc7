"""What happens to a socket's connections: counted, for the state of its node."""

from __future__ import annotations

from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

_WATCHED = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_ACCEPT_FAILED
)
READ_MAX = 256


@dataclass(slots=True)
class ConnectionCounters:
    """Connections of one socket since it was opened."""

    connected: int = 0
    disconnected: int = 0
    handshakes_failed: int = 0
    accepts_failed: int = 0


class ConnectionMonitor:
    """Counts the connections of a socket. `socket` is for a reactor to watch, `read` its callback."""

    def __init__(self, watched: zmq.Socket[bytes]) -> None:
        self._watched = watched
        self.socket: zmq.Socket[bytes] = watched.get_monitor_socket(_WATCHED)
        self.counters = ConnectionCounters()

    def read(self) -> None:
        """Count what has happened, without waiting."""
        for _ in range(READ_MAX):
            if not self.socket.poll(0):
                return
            self._count(int(recv_monitor_message(self.socket)["event"]))

    def close(self) -> None:
        """Stop counting. Must happen before the watched socket is closed."""
        self._watched.disable_monitor()

    def _count(self, event: int) -> None:
        if event in (zmq.EVENT_ACCEPTED, zmq.EVENT_CONNECTED):
            self.counters.connected += 1
        elif event == zmq.EVENT_DISCONNECTED:
            self.counters.disconnected += 1
        elif event == zmq.EVENT_ACCEPT_FAILED:
            self.counters.accepts_failed += 1
        else:
            self.counters.handshakes_failed += 1
