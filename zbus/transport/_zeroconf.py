"""The same as beacons by DNS-SD, for who has tools for that: `_zbus._tcp.local.` (spec 8). Needs an extra."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zbus.errors import ConfigError, WireError
from zbus.transport._heard_rigs import RIGS_MAX, HeardRig, check_places
from zbus.transport._resource import Resource
from zbus.wire import Beacon, beacon_address, read_beacon

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)

SERVICE_TYPE = "_zbus._tcp.local."
ASK_TIMEOUT_MS = 500
_NUMBERS = ("v", "period_ms")


def load_zeroconf() -> Any:
    """The library. Raises ConfigError naming the extra where it is not installed."""
    try:
        import zeroconf
    except ImportError as error:
        raise ConfigError(
            "zeroconf needs the library python-zeroconf, which is not installed",
            next_step="pip install 'zbus-rig[zeroconf]', or leave zeroconf out: beacons need nothing",
        ) from error
    return zeroconf


class ZeroconfAnnouncer(Resource):
    """Announces a rig at the interface with `address` as long as it is open. Opening does not wait.

    The library answers questions in a thread of its own; what fails there is told in the log.
    """

    def __init__(self, beacon: Beacon, address: str) -> None:
        self._beacon, self._address = beacon, address.partition("/")[0]
        self._library: Any = None
        self._registered: Future[Any] | None = None

    def open(self) -> None:
        """Begin to announce. Raises ConfigError where the library is missing, OSError of its sockets."""
        # Why here: few rigs need it, and every program that publishes would load it.
        import asyncio

        zeroconf = load_zeroconf()
        info = zeroconf.ServiceInfo(
            SERVICE_TYPE,
            f"{self._beacon.rig[:40]}-{self._beacon.session[:16]}.{SERVICE_TYPE}",
            addresses=[ipaddress.ip_address(self._address).packed],
            port=_port(self._beacon),
            properties={key: str(value) for key, value in self._beacon.to_map().items()},
            server=f"zbus-{self._beacon.session[:16]}.local.",
        )
        library = zeroconf.Zeroconf(interfaces=[self._address], ip_version=zeroconf.IPVersion.V4Only)
        self._library = library
        # Why not register_service: it waits for a second, in which the broker would serve nobody.
        self._registered = asyncio.run_coroutine_threadsafe(
            library.async_register_service(info, allow_name_change=True), library.loop
        )
        self._registered.add_done_callback(_tell_failure)

    def close(self) -> None:
        """Take the announcement back. Safe to call twice."""
        library, self._library = self._library, None
        if library is not None and self._registered is not None:
            self._registered.cancel()
            library.close()


class ZeroconfFinder(Resource):
    """Asks for rigs at the interfaces with these addresses as long as it is open, in the library's thread."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = list(addresses)
        self._answers = _Answers()
        self._library: Any = None

    def open(self) -> None:
        """Begin to ask. Raises ConfigError where the library is missing, OSError of its sockets."""
        zeroconf = load_zeroconf()
        self._library = zeroconf.Zeroconf(interfaces=self._addresses, ip_version=zeroconf.IPVersion.V4Only)
        zeroconf.ServiceBrowser(self._library, SERVICE_TYPE, self._answers)

    def close(self) -> None:
        """Ask no more; what was answered is kept. Safe to call twice."""
        library, self._library = self._library, None
        if library is not None:
            library.close()

    def listing(self) -> list[HeardRig]:
        """The rigs that have answered, by name and host."""
        return self._answers.listing()


class _Answers:
    """What was answered, bounded; called by the library's own thread."""

    def __init__(self) -> None:
        self._rigs: dict[str, HeardRig] = {}

    def add_service(self, library: Any, kind: str, name: str) -> None:
        """Take in a rig that answered."""
        if len(self._rigs) < RIGS_MAX:
            info = library.get_service_info(kind, name, ASK_TIMEOUT_MS)
            rig = _read(info) if info is not None else None
            if rig is not None:
                self._rigs[name] = rig

    def update_service(self, library: Any, kind: str, name: str) -> None:
        """Take in what changed."""
        self.add_service(library, kind, name)

    def remove_service(self, library: Any, kind: str, name: str) -> None:
        """Forget a rig that said good-bye."""
        self._rigs.pop(name, None)

    def listing(self) -> list[HeardRig]:
        """The rigs, by name and host."""
        found = list(self._rigs.values())
        return sorted(found, key=lambda rig: (rig.beacon.rig, rig.beacon.host, rig.address))


def _read(info: Any) -> HeardRig | None:
    """A rig as its service tells of it, None where that breaks the spec."""
    address = str((info.parsed_addresses() or [""])[0])
    try:
        beacon = read_beacon(_keys(info.properties))
        check_places(beacon, address)
    except (WireError, ValueError) as error:
        log.info("a zeroconf service at %s is no rig: %s", address or "no address", error)
        return None
    return HeardRig(beacon, address, time.monotonic_ns())


def _keys(properties: Mapping[bytes, bytes | None]) -> dict[str, Any]:
    """The TXT record as the keys of a beacon. Raises ValueError for what is no text or no number."""
    texts = {key.decode(): (value or b"").decode() for key, value in properties.items()}
    return {key: int(text) if key in _NUMBERS else text for key, text in texts.items()}


def _port(beacon: Beacon) -> int:
    endpoint = beacon.directory if beacon_address(beacon.directory) else beacon.edge
    return int(endpoint.rpartition(":")[2]) if endpoint else 0


def _tell_failure(registered: Future[Any]) -> None:
    error = None if registered.cancelled() else registered.exception()
    if error is not None:
        log.warning("this rig is not announced by zeroconf: %s: %s", type(error).__name__, error)
