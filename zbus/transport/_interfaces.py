"""This host's interfaces: which addresses it has, and to where one says something to a whole network."""

from __future__ import annotations

import ipaddress
import socket as _socket
import struct
import sys

from zbus.errors import TransportError

LOOPBACK = "127.0.0.1"
INTERFACES_MAX = 64

# Linux's ioctls for an interface's address and mask, and where they put it (netdevice(7)).
_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B
_NAME_BYTES, _ADDRESS_AT = 16, slice(20, 24)


def own_interfaces() -> list[ipaddress.IPv4Interface]:
    """The first IPv4 address of each interface, with its network; elsewhere than on Linux loopback alone."""
    if sys.platform != "linux":
        return [ipaddress.IPv4Interface(f"{LOOPBACK}/8")]
    found: list[ipaddress.IPv4Interface] = []
    with _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM) as asked:
        for _, name in _socket.if_nameindex()[:INTERFACES_MAX]:
            try:
                address, mask = (_ask(asked, name, what) for what in (_SIOCGIFADDR, _SIOCGIFNETMASK))
            except OSError:
                # Why: an interface without an IPv4 address says so in this way.
                continue
            found.append(ipaddress.IPv4Interface(f"{address}/{mask}"))
    return found


def find_interface(address: str) -> ipaddress.IPv4Interface:
    """The interface with this address; `10.0.0.1/24` tells its network itself. Raises TransportError."""
    wanted = ipaddress.IPv4Interface(address)
    if "/" in address:
        return wanted
    if wanted.ip.is_loopback:
        return ipaddress.IPv4Interface(f"{address}/8")
    known = own_interfaces()
    for interface in known:
        if interface.ip == wanted.ip:
            return interface
    raise TransportError(
        f"this machine has no interface with the address {address}; "
        f"it has: {', '.join(str(each.ip) for each in known)}",
        next_step="see: ip -4 address; for a further address of an interface tell its network: 10.0.0.1/24",
    )


def _ask(asked: _socket.socket, name: str, what: int) -> str:
    # Why here: other systems have no such module.
    from fcntl import ioctl

    answer = ioctl(asked.fileno(), what, struct.pack("256s", name.encode()[: _NAME_BYTES - 1]))
    return _socket.inet_ntoa(answer[_ADDRESS_AT])
