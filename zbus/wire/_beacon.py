"""Beacons: a rig says where it can be asked, in one datagram (spec 8)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zbus.errors import WireError
from zbus.wire._envelope import check_version
from zbus.wire._header import pack_map, read_int, read_text, unpack_map
from zbus.wire._limits import BEACON_MAX_BYTES, WIRE_VERSION
from zbus.wire._topics import is_source_name

BEACON_PORT = 5550
PERIOD_MS_MIN, PERIOD_MS_MAX = 100, 60_000
ENDPOINT_MAX_CHARS = 256
SERVER_KEY_CHARS = 40

# Why no host names: who listens would look up, at a stranger's word, what that stranger chose.
_TCP = re.compile(r"tcp://(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]):([1-9][0-9]{0,4})")
_IPC = re.compile(r"ipc://[\x21-\x7e]+")
_Z85 = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class Beacon:
    """A rig as it tells of itself: who it is, and where it can be asked from the network it tells it to.

    `session` is new with each start, `period_ms` the time to the next beacon. `directory` is open to who can
    reach it, `edge` wants a key; either may be "", not both. `server_key` is the edge's public key, for
    people to compare: whoever connects takes it from a key file and never from here.
    """

    rig: str
    host: str
    session: str
    period_ms: int
    directory: str = ""
    edge: str = ""
    server_key: str = ""

    def to_map(self) -> dict[str, Any]:
        """The keys of the datagram; what is "" is left out."""
        places = {"directory": self.directory, "edge": self.edge, "server_key": self.server_key}
        told = {"rig": self.rig, "host": self.host, "session": self.session, "period_ms": self.period_ms}
        return {"v": WIRE_VERSION, **told, **{key: text for key, text in places.items() if text}}


def encode_beacon(beacon: Beacon) -> bytes:
    """Write a beacon as one datagram. Raises WireError where a listener would refuse it."""
    header = beacon.to_map()
    read_beacon(header)
    return pack_map(header, BEACON_MAX_BYTES)


def decode_beacon(data: bytes) -> Beacon:
    """Read a datagram. Raises WireError; nothing is decoded of one that is too large."""
    return read_beacon(unpack_map(data, BEACON_MAX_BYTES))


def read_beacon(header: Mapping[str, Any]) -> Beacon:
    """Read the keys of a beacon, wherever they come from. Raises WireError."""
    check_version(header)
    rig = read_text(header, "rig", 64)
    if not is_source_name(rig):
        raise WireError("bad_topic", f"{rig!r} is not a name of a rig")
    if "directory" not in header and "edge" not in header:
        raise WireError("missing_key", "directory and edge: it tells no place to ask")
    return Beacon(
        rig=rig,
        host=read_text(header, "host", 256),
        session=read_text(header, "session", 64),
        period_ms=read_int(header, "period_ms", PERIOD_MS_MIN, PERIOD_MS_MAX),
        directory=_read_endpoint(header, "directory"),
        edge=_read_endpoint(header, "edge"),
        server_key=_read_key(header),
    )


def beacon_address(endpoint: str) -> str:
    """The IP address in a tcp endpoint, "" where there is none."""
    match = _TCP.fullmatch(endpoint)
    if match is None or int(match[3]) > 65_535:
        return ""
    try:
        return str(ipaddress.ip_address(match[1] or match[2]))
    except ValueError:
        return ""


def _read_endpoint(header: Mapping[str, Any], key: str) -> str:
    if key not in header:
        return ""
    endpoint = read_text(header, key, ENDPOINT_MAX_CHARS)
    if _IPC.fullmatch(endpoint) or beacon_address(endpoint):
        return endpoint
    raise WireError("bad_endpoint", f"{key} is {endpoint[:64]!r}")


def _read_key(header: Mapping[str, Any]) -> str:
    if "server_key" not in header:
        return ""
    key = read_text(header, "server_key", SERVER_KEY_CHARS)
    if not _Z85.fullmatch(key):
        raise WireError("out_of_range", f"server_key is not {SERVER_KEY_CHARS} characters of Z85")
    return key
