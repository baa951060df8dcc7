"""Beacons on the network: a sender for each interface that shall hear of a rig, and a listener (spec 8)."""

from __future__ import annotations

import ipaddress
import logging
import selectors
import socket as _socket
import time
from collections.abc import Iterable
from contextlib import ExitStack

from zbus.errors import TransportError
from zbus.transport._heard_rigs import HeardRig, HeardRigs
from zbus.transport._interfaces import LOOPBACK, find_interface
from zbus.transport._resource import Resource
from zbus.wire import BEACON_MAX_BYTES, BEACON_PORT, Beacon, encode_beacon

log = logging.getLogger(__name__)

BEACON_PERIOD_S = 1.0
TAKE_MAX = 64


class BeaconSender(Resource):
    """Tells one network of a rig at each `send`, which never waits. Acquires in `with`.

    `address` is that of an interface, with its network where it has several (`10.0.0.1/24`). What cannot be
    sent is counted and told once in the log: a rig needs no beacon.
    """

    def __init__(self, beacon: Beacon, address: str = LOOPBACK, port: int = BEACON_PORT) -> None:
        self._data = encode_beacon(beacon)
        self._address, self._port = address, port
        self._socket: _socket.socket | None = None
        self._network = ""
        self.sent = 0
        self.failed = 0

    def open(self) -> None:
        """Take a socket at the interface. Raises TransportError where this host has no such address."""
        interface = find_interface(self._address)
        self._network = str(interface.network.broadcast_address)
        sender = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
        try:
            sender.setblocking(False)
            sender.setsockopt(_socket.SOL_SOCKET, _socket.SO_BROADCAST, 1)
            sender.bind((str(interface.ip), 0))
        except OSError as error:
            sender.close()
            raise TransportError(
                f"no beacon can be sent from {self._address}: {error.strerror}",
                next_step="see: ip -4 address",
            ) from error
        self._socket = sender

    def close(self) -> None:
        """Give the socket back. Safe to call twice."""
        sender, self._socket = self._socket, None
        if sender is not None:
            sender.close()

    def send(self) -> bool:
        """Send one beacon now. False where it could not be sent, which is counted."""
        if self._socket is None:
            raise TransportError("this sender of beacons is not open", next_step="use it in `with`")
        try:
            self._socket.sendto(self._data, (self._network, self._port))
        except OSError as error:
            self.failed += 1
            if self.failed == 1:
                log.warning(
                    "%s cannot be told of this rig: %s; zbus ls --find will not show it there",
                    self._network,
                    error.strerror,
                )
            return False
        self.sent += 1
        return True


class BeaconListener(Resource):
    """Hears what rigs say of themselves on the networks of `addresses`, and believes none of it.

    `read` takes what has come, without waiting; a loop may watch `sockets`. Many may listen at once.
    """

    def __init__(self, addresses: Iterable[str] = (LOOPBACK,), port: int = BEACON_PORT) -> None:
        self._addresses, self._port = list(addresses), port
        self._undo = ExitStack()
        self.sockets: list[_socket.socket] = []
        self.rigs = HeardRigs()

    def open(self) -> None:
        """Listen. Raises TransportError where that is not possible."""
        networks = {str(find_interface(each).network.broadcast_address) for each in self._addresses}
        with ExitStack() as undo:
            sockets = [undo.enter_context(_listen(network, self._port)) for network in sorted(networks)]
            self._undo = undo.pop_all()
        self.sockets = sockets

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        self.sockets = []
        self._undo.close()

    def read(self) -> None:
        """Take in what has come, at most TAKE_MAX datagrams of each network."""
        for each in self.sockets:
            for _ in range(TAKE_MAX):
                try:
                    # Why one byte more: so that what is too large is seen to be.
                    data, (address, _) = each.recvfrom(BEACON_MAX_BYTES + 1)
                except BlockingIOError:
                    break
                self.rigs.take(data, address, time.monotonic_ns())

    def listen(self, duration_s: float) -> list[HeardRig]:
        """Listen for so long, and tell which rigs are there. Blocks."""
        until_s = time.monotonic() + duration_s
        with selectors.DefaultSelector() as selector:
            for each in self.sockets:
                selector.register(each, selectors.EVENT_READ)
            while (left_s := until_s - time.monotonic()) > 0:
                selector.select(left_s)
                self.read()
        return self.rigs.listing(time.monotonic_ns())


def is_on_loopback(address: str) -> bool:
    """True where beacons sent from `address` stay on this host."""
    return ipaddress.IPv4Interface(address).ip.is_loopback


def _listen(network: str, port: int) -> _socket.socket:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        listener.setblocking(False)
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        # Why the network's own address: what is meant for all of it comes here, and nothing else.
        listener.bind((network, port))
    except OSError as error:
        listener.close()
        raise TransportError(
            f"beacons cannot be listened for at {network}:{port}: {error.strerror}",
            next_step="a rig is found without them too: name its directory with --directory",
        ) from error
    return listener
