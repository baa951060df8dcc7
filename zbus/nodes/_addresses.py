"""Ports of this machine: which are free, looked at without taking them."""

from __future__ import annotations

import errno
import random
import re
import socket
from collections.abc import Iterable, Iterator

from zbus.config import EdgePlan, Rig
from zbus.errors import TransportError

# Why: below the range from which systems give ports to outgoing connections.
FREE_PORTS = (20_000, 32_000)
PORT_TRIES = 200

_TCP = re.compile(r"(?:tcp://)?\[?(.*?)\]?:(\d{1,5})")


def is_free(host: str, port: int) -> bool:
    """False where some program of this machine listens there already."""
    host = "" if host == "*" else host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # Why: connections of a server that has just ended linger on; libzmq passes over them too.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        # Why: what else is wrong with an address, the one who binds it tells best.
        return error.errno != errno.EADDRINUSE
    return True


def free_ports(count: int) -> list[int]:
    """So many ports of the loopback address that are free now. Raises TransportError."""
    ports: list[int] = []
    for _ in range(PORT_TRIES):
        port = random.randint(*FREE_PORTS)
        if port not in ports and is_free("127.0.0.1", port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise TransportError("no free ports were found", next_step="end what listens: ss -ltn")


def is_answered(address: str, timeout_s: float) -> bool:
    """True where somebody accepts connections at `address`, host:port or a tcp endpoint. Blocks."""
    match = _TCP.fullmatch(address)
    if match is None:
        return False
    try:
        socket.create_connection((match[1], int(match[2])), timeout_s).close()
    except (OSError, OverflowError):
        return False
    return True


def taken_addresses(rig: Rig) -> list[str]:
    """The addresses of `rig` at which some other program of this machine listens already."""
    return [address for address, host, port in _addresses(rig) if not is_free(host, port)]


def taken_places(edge: EdgePlan) -> list[str]:
    """The places of an edge at which some other program of this machine listens already."""
    return [place for place, host, port in _ports(edge.places) if not is_free(host, port)]


def _addresses(rig: Rig) -> Iterator[tuple[str, str, int]]:
    """Every TCP address that the rig binds at a port it names."""
    binds = [rig.broker.directory, rig.broker.publish, rig.broker.subscribe]
    binds += [rig.overlay.bind] if rig.overlay else []
    binds += [rig.gateway.bind] if rig.gateway else []
    binds += rig.edge.places if rig.edge else []
    return _ports(binds)


def _ports(binds: Iterable[str]) -> Iterator[tuple[str, str, int]]:
    """Those of these places that have a port with a number."""
    for bind in binds:
        match = _TCP.fullmatch(bind)
        if match is not None and int(match[2]):
            yield bind, match[1], int(match[2])
