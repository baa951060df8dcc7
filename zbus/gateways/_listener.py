"""The listening socket of a gateway, and the names under which it is reached."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from zbus.errors import AddressInUse, ExposedAddress, TransportError
from zbus.gateways._settings import GatewaySettings
from zbus.transport import is_exposed

# Why: what the kernel holds for a slow viewer is a picture out of date by the time it is seen.
SEND_BUFFER_BYTES = 262_144
HTTP_PORT = 80


def open_listener(settings: GatewaySettings) -> socket.socket:
    """A bound socket, not yet listening.

    Raises ExposedAddress for an address beyond loopback unless `insecure`, AddressInUse, TransportError.
    """
    if is_exposed(f"tcp://{settings.bind}") and not settings.insecure:
        raise ExposedAddress(
            f"{settings.bind} can be reached from other machines, and nothing locks it",
            next_step="bind 127.0.0.1, run the page on the other computer by a key (zbus keys new NAME; "
            "there: zbus gateway --directory tcp://HERE:5560 --key NAME.key); or, if everyone on this "
            "network may watch, say --insecure (in a rig file: insecure = true)",
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise _bind_error(settings, error) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds the gateway."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
    return f"http://{_bracketed(str(address))}:{port}"


def allowed_hosts(settings: GatewaySettings, listener: socket.socket) -> frozenset[str]:
    """The exact `Host` headers that are answered, in lower case: this machine's own names with the port.

    Why: a page that rebinds its own name to 127.0.0.1 still sends that name.
    """
    port = listener.getsockname()[1]
    names = {"localhost", "127.0.0.1", "[::1]", _bracketed(settings.host), *settings.hosts}
    if is_exposed(f"tcp://{settings.bind}"):
        names |= {socket.gethostname(), socket.getfqdn()}
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(name.lower() for name in with_port | (names if port == HTTP_PORT else set()))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bind_error(settings: GatewaySettings, error: OSError) -> TransportError:
    if error.errno == errno.EADDRINUSE:
        step = f"choose another port, or see who has it: ss -ltnp 'sport = :{settings.port}'"
        return AddressInUse(settings.bind, next_step=step)
    cause = f"{settings.bind}: {error.strerror or error}"
    return TransportError(cause, next_step="bind 127.0.0.1 with a free port above 1023")
