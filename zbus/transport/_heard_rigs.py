"""The rigs of which a beacon was heard, bounded, and believed no further than the spec says. No I/O."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass

from zbus.errors import WireError
from zbus.wire import Beacon, beacon_address, decode_beacon

RIGS_MAX = 128
RIGS_OF_ADDRESS_MAX = 64
BEACONS_PER_S_MAX = 200
# A rig is gone after this many periods without a beacon.
MISSED_MAX = 3

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HeardRig:
    """A rig as it told of itself, the address that it told it from, and when it was heard last."""

    beacon: Beacon
    address: str
    heard_ns: int

    def is_gone(self, now_ns: int) -> bool:
        """True where it should have been heard again by now."""
        return now_ns - self.heard_ns > MISSED_MAX * self.beacon.period_ms * 1_000_000


class HeardRigs:
    """Takes datagrams and tells which rigs are there; `refused` counts by reason, `dropped` what is past a
    limit. Times are monotonic nanoseconds that are handed in.
    """

    def __init__(self) -> None:
        self._rigs: dict[Key, HeardRig] = {}
        self._second = 0
        self._in_second = 0
        self.refused: Counter[str] = Counter()
        self.dropped = 0

    def take(self, data: bytes, address: str, now_ns: int) -> bool:
        """Take in a datagram from `address`. False where it was refused or dropped, which is counted."""
        if self._is_flood(now_ns):
            self.dropped += 1
            return False
        try:
            beacon = decode_beacon(data)
            check_places(beacon, address)
        except WireError as error:
            self.refused[error.reason] += 1
            return False
        return self._keep(HeardRig(beacon, address, now_ns), now_ns)

    def listing(self, now_ns: int) -> list[HeardRig]:
        """The rigs that are there at `now_ns`, by name and host."""
        self._forget_gone(now_ns)
        return sorted(self._rigs.values(), key=lambda rig: (rig.beacon.rig, rig.beacon.host, rig.address))

    def _keep(self, rig: HeardRig, now_ns: int) -> bool:
        # Why by its places and not its session: one that started anew stands in place of what it was.
        key = (rig.address, rig.beacon.directory, rig.beacon.edge)
        if key not in self._rigs and not self._has_room(rig.address, now_ns):
            self.dropped += 1
            return False
        self._rigs[key] = rig
        return True

    def _has_room(self, address: str, now_ns: int) -> bool:
        self._forget_gone(now_ns)
        of_address = sum(rig.address == address for rig in self._rigs.values())
        return len(self._rigs) < RIGS_MAX and of_address < RIGS_OF_ADDRESS_MAX

    def _forget_gone(self, now_ns: int) -> None:
        self._rigs = {key: rig for key, rig in self._rigs.items() if not rig.is_gone(now_ns)}

    def _is_flood(self, now_ns: int) -> bool:
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > BEACONS_PER_S_MAX


def check_places(beacon: Beacon, address: str) -> None:
    """Raises WireError `bad_endpoint` where a beacon sends people to another host than its own."""
    for endpoint in filter(None, (beacon.directory, beacon.edge)):
        if not _is_of(endpoint, address):
            raise WireError("bad_endpoint", f"{endpoint} is told by {address}")


def _is_of(endpoint: str, address: str) -> bool:
    told, teller = beacon_address(endpoint), ipaddress.ip_address(address)
    if teller.is_loopback:
        return not told or ipaddress.ip_address(told).is_loopback
    return bool(told) and ipaddress.ip_address(told) == teller
