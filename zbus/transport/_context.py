"""The one ZeroMQ context of a process, and sockets made by the table."""

from __future__ import annotations

import secrets
from typing import cast

import zmq

from zbus.errors import TransportError
from zbus.transport._options import Link, apply_options

# Why: older ones have known remote faults (CVE-2019-6250, CVE-2019-13132, CVE-2020-15166 and after).
OLDEST_LIBZMQ = (4, 3, 5)


def make_socket(kind: int, link: Link) -> zmq.Socket[bytes]:
    """A socket of the process's context with every option of `link` set. It stays in the calling thread."""
    if zmq.zmq_version_info() < OLDEST_LIBZMQ:
        oldest = ".".join(map(str, OLDEST_LIBZMQ))
        raise TransportError(
            f"libzmq {zmq.zmq_version()} is older than {oldest}", next_step="pip install --upgrade pyzmq"
        )
    socket = process_context().socket(kind)
    apply_options(socket, link)
    return socket


def zeromq_features() -> tuple[str, bool]:
    """The version of libzmq, and whether it can encrypt (CURVE)."""
    return zmq.zmq_version(), bool(zmq.has("curve"))


def process_context() -> zmq.Context[zmq.Socket[bytes]]:
    """The one context of this process."""
    return cast(zmq.Context[zmq.Socket[bytes]], zmq.Context.instance())


def new_session() -> str:
    """A random name for one start of a publisher: 16 hexadecimal digits."""
    return secrets.token_hex(8)
