"""Endpoints: their form, what may be bound, and connecting and binding with errors that say what to do."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket as _socket
from typing import TYPE_CHECKING, cast

import zmq

from zbus.errors import AddressInUse, ExposedAddress, TransportError
from zbus.transport._client_key import ClientKey, use_key

if TYPE_CHECKING:
    from zbus.transport._server_lock import ServerLock

LOCK_FIRST = (
    "bind 127.0.0.1, make keys (zbus keys new) and let others in by them: zbus broker --bind "
    "tcp://0.0.0.0:5560; or, if everyone on this network may read and write, say --insecure "
    "(in a rig file: insecure = true)"
)

_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[^:/\s\[\]]+):(\d{1,5}|\*)")
_LOCAL = re.compile(r"(ipc|inproc)://[^\0]+")
# The ZAP domain of sockets that nothing locks.
OPEN_DOMAIN = b"zbus.open"


def check_endpoint(endpoint: str) -> str:
    """`endpoint` where it has the form of one. Raises TransportError saying what is wrong with it."""
    if _LOCAL.fullmatch(endpoint):
        return endpoint
    match = _TCP.fullmatch(endpoint)
    if match is None or (match[2] != "*" and int(match[2]) > 65_535):
        raise TransportError(
            f"{endpoint!r} is not an endpoint", next_step="write it like tcp://127.0.0.1:5550 or ipc:///path"
        )
    return endpoint


def is_exposed(endpoint: str) -> bool:
    """True where another machine could reach `endpoint`."""
    match = _TCP.fullmatch(endpoint)
    if match is None:
        return False
    host = match[1].strip("[]")
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def connect(socket: zmq.Socket[bytes], endpoint: str, key: ClientKey | None = None) -> None:
    """Connect, now or as soon as somebody is there; with `key` where that goes over TCP.

    Raises TransportError for what cannot be connected to.
    """
    wanted = _resolvable(socket, endpoint)
    if re.fullmatch(r"tcp://.*:(\*|0+)", wanted):
        raise _connect_error(endpoint, "any port is for who binds")
    # Why not over ipc: there the folder is the lock, and no key is asked for.
    is_locked = key is not None and wanted.startswith("tcp://")
    try:
        if is_locked:
            use_key(socket, key)
        socket.connect(wanted)
    except zmq.ZMQError as error:
        raise _connect_error(endpoint, error.strerror) from error
    finally:
        if is_locked:
            use_key(socket, None)


def disconnect(socket: zmq.Socket[bytes], endpoint: str) -> None:
    """Take a connection back. Raises TransportError where there is none."""
    try:
        socket.disconnect(_resolvable(socket, endpoint))
    except zmq.ZMQError as error:
        raise TransportError(
            f"{endpoint} was not connected to", next_step="name the endpoint as when connecting"
        ) from error


def bind(
    socket: zmq.Socket[bytes], endpoint: str, *, insecure: bool = False, lock: ServerLock | None = None
) -> str:
    """Bind and return the endpoint with the port that was taken (port 0 takes any free one).

    With `lock` only who has a key comes in. Raises ExposedAddress for an address beyond loopback without a
    lock unless `insecure`, AddressInUse, TransportError.
    """
    wanted = _resolvable(socket, endpoint)
    if wanted.startswith("tcp://"):
        wanted = re.sub(r":0$", ":*", wanted)
    if is_exposed(wanted) and not insecure and lock is None:
        raise ExposedAddress(
            f"{endpoint} can be reached from other machines, and nothing locks it",
            next_step=LOCK_FIRST,
        )
    if _is_served(wanted):
        raise AddressInUse(endpoint, next_step="stop who listens there, or choose another path")
    if lock is not None:
        lock.apply(socket)
    else:
        _refuse_old_zeromq(socket)
    try:
        socket.bind(wanted)
    except zmq.ZMQError as error:
        raise _bind_error(endpoint, error) from error
    return cast(bytes, socket.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()


def _resolvable(socket: zmq.Socket[bytes], endpoint: str) -> str:
    """The endpoint in the form that libzmq takes."""
    if check_endpoint(endpoint).startswith("tcp://["):
        # Why: only then, since a socket with this option looks for names in IPv6 first, where nobody binds.
        socket.setsockopt(zmq.IPV6, 1)
    return endpoint.replace("//localhost:", "//127.0.0.1:")


def _refuse_old_zeromq(socket: zmq.Socket[bytes]) -> None:
    """Take nobody who speaks ZMTP 1.0 or 2.0.

    Why: to version 1 any bytes are messages, so that a page of some web site, open in a browser of this
    machine, could draw and give commands by what it posts to our ports. libzmq refuses both where a socket
    has a ZAP domain; with nobody to ask in this process, it takes everybody else as before.
    """
    if socket.getsockopt(zmq.MECHANISM) == zmq.NULL and not socket.getsockopt(zmq.ZAP_DOMAIN):
        socket.setsockopt(zmq.ZAP_DOMAIN, OPEN_DOMAIN)


def _is_served(endpoint: str) -> bool:
    """True where a process listens at this ipc path. A file that a killed process left behind is free.

    Why: libzmq takes an ipc path from its owner without an error, and the owner is unreachable from then on.
    """
    path = endpoint.removeprefix("ipc://")
    if path == endpoint or path.startswith(("@", "*")):
        return False
    with _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            # Why: a full backlog is a listener, if a slow one.
            return True
        except OSError:
            return False
    return True


def _connect_error(endpoint: str, cause: str) -> TransportError:
    return TransportError(
        f"{endpoint} cannot be connected to: {cause}",
        next_step="write it like tcp://127.0.0.1:5551, with the port of the one who binds",
    )


def check_prefix(topic: str) -> bytes:
    """The prefix to subscribe to. Raises TransportError for what begins no topic."""
    try:
        return topic.encode("ascii")
    except UnicodeEncodeError:
        raise TransportError(
            f"{topic!r} cannot begin a topic", next_step="write it like frame/cam1/ or state/"
        ) from None


def _bind_error(endpoint: str, error: zmq.ZMQError) -> TransportError:
    if error.errno == errno.EADDRINUSE:
        port = endpoint.rsplit(":", 1)[-1]
        return AddressInUse(
            endpoint, next_step=f"choose another port, or see who has it: ss -ltnp 'sport = :{port}'"
        )
    if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL):
        return TransportError(f"{endpoint}: this machine has no such address", next_step="see: ip address")
    return TransportError(f"{endpoint}: {error.strerror}", next_step="bind tcp://127.0.0.1 with a free port")
