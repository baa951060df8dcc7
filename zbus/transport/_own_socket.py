"""The one socket of a resource, and the thread that it belongs to."""

from __future__ import annotations

from threading import get_ident

import zmq

from zbus.transport._context import make_socket
from zbus.transport._options import Link


class OwnSocket:
    """Holds at most one socket, and hands it only to the thread that opened it.

    Why: libzmq ends the whole process where two threads use one socket; an error in Python ends a call.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._socket: zmq.Socket[bytes] | None = None
        self._thread = 0

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""
        return self._socket is not None

    def open(self, kind: int, link: Link) -> zmq.Socket[bytes]:
        """Make the socket. Raises RuntimeError where there is one already."""
        if self._socket is not None:
            raise RuntimeError(f"the {self._owner} is open already")
        self._socket, self._thread = make_socket(kind, link), get_ident()
        return self._socket

    def get(self) -> zmq.Socket[bytes]:
        """The socket. Raises RuntimeError where it is not open, or belongs to another thread."""
        if self._socket is None:
            raise RuntimeError(f"the {self._owner} is not open: use it in a with statement")
        if self._thread != get_ident():
            raise RuntimeError(f"the {self._owner} belongs to the thread that opened it")
        return self._socket

    def close(self) -> None:
        """Close the socket, by its own linger. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
