"""What a rig consists of, as plain data."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zbus.config._host_plans import PORT_MAX, HostPlan, RelayPlan, check_endpoint
from zbus.config._settings import CommandLine, Place
from zbus.errors import UnknownName

RING_MAX_S = 3_600.0
EDGE_PORT, EDGE_PORTS = 5_560, 4

_TCP_PORT = re.compile(r"tcp://[^\s/]+:(\d{1,5})")
_HOST_PORT = re.compile(r"[^\s/]+:(\d{1,5})")


def _check_interface(address: str) -> None:
    try:
        ipaddress.IPv4Interface(address)
    except ValueError as error:
        raise ValueError(f"beacon has {address!r}, not an address such as 10.0.0.1 or 10.0.0.1/24") from error


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """Where the rig's broker is: everybody's one known address.

    `host` is what the nodes at this broker call their computer; empty, its own name. `beacon` are the
    addresses of the interfaces on which it tells of itself, so that `zbus ls --find` shows it; empty, none.
    With `zeroconf` it tells there by DNS-SD too.
    `key` is the path of the key file with which a broker of another computer is spoken to.
    """

    directory: str = "tcp://127.0.0.1:5550"
    publish: str = "tcp://127.0.0.1:5551"
    subscribe: str = "tcp://127.0.0.1:5552"
    insecure: bool = False
    host: str = ""
    beacon: tuple[str, ...] = ("127.0.0.1",)
    zeroconf: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        for name in ("directory", "publish", "subscribe"):
            check_endpoint(name, getattr(self, name))
        for address in self.beacon:
            _check_interface(address)

    @property
    def here(self) -> str:
        """The name of this computer as nodes at this broker announce it: what is called so is here."""
        return self.host or socket.gethostname()


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera: the plug-in `source` with its `settings`, and what its JPEG topic gives at most.

    `wait_for_subscriber` holds the camera back until somebody subscribes to its frames, so that a file is
    seen from its first picture on. `host` says on which host it runs, where the rig has several.
    Its pixels of the last `ring_s` seconds lie in shared memory for readers of the same machine, in
    `ring_max_bytes` at most; 0 turns that off.
    """

    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    jpeg_hz: float = 30.0
    jpeg_quality: int = 80
    wait_for_subscriber: bool = False
    host: str = ""
    ring_s: float = 1.0
    ring_max_bytes: int = 268_435_456

    def __post_init__(self) -> None:
        if not 0 <= self.ring_s <= RING_MAX_S:
            raise ValueError(f"ring_s must be in 0..{RING_MAX_S:g}")
        if self.ring_max_bytes < 0:
            raise ValueError("ring_max_bytes must be at least 0")
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError("jpeg_quality must be in 1..100")
        if not 0 < self.jpeg_hz <= 1000:
            raise ValueError("jpeg_hz must be above 0 and at most 1000")


@dataclass(frozen=True, slots=True)
class TrackerPlan:
    """One tracker: the plug-in `tracker` with its `settings`, on the frames of `camera`.

    At most about `queue_frames` wait for it; the oldest are dropped beyond. Few keep a slow tracker near the
    present, many let a video be tracked whole.
    """

    camera: str
    tracker: str = "blob"
    settings: Mapping[str, Any] = field(default_factory=dict)
    queue_frames: int = 16
    host: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.queue_frames <= 1000:
            raise ValueError("queue_frames must be in 1..1000")


@dataclass(frozen=True, slots=True)
class OverlayPlan:
    """The door for overlays."""

    bind: str = "tcp://127.0.0.1:5556"
    insecure: bool = False
    host: str = ""

    def __post_init__(self) -> None:
        check_endpoint("bind", self.bind)


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """The live page and what else speaks HTTP."""

    bind: str = "127.0.0.1:8080"
    insecure: bool = False
    host: str = ""

    def __post_init__(self) -> None:
        match = _HOST_PORT.fullmatch(self.bind)
        if match is None or int(match[1]) > PORT_MAX:
            raise ValueError(f"bind is {self.bind!r}, not host:port such as 127.0.0.1:8080")


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """The locked door for other computers: at `bind` control, and publish, subscribe, overlays at the next
    three ports.
    """

    bind: str
    insecure: bool = False
    host: str = ""

    def __post_init__(self) -> None:
        match = _TCP_PORT.fullmatch(self.bind)
        if match is None or not 0 < int(match[1]) <= PORT_MAX - EDGE_PORTS + 1:
            raise ValueError(f"bind is {self.bind!r}, not tcp://HOST:PORT such as tcp://0.0.0.0:5560")

    @property
    def places(self) -> tuple[str, str, str, str]:
        """Where it listens: for control, to publish to, to subscribe from, and for overlays."""
        host, _, port = self.bind.rpartition(":")
        control, publish, subscribe, overlays = (f"{host}:{int(port) + n}" for n in range(EDGE_PORTS))
        return control, publish, subscribe, overlays

    def clash(self, addresses: Mapping[str, str]) -> tuple[str, str] | None:
        """The first of `addresses` (what: endpoint) whose port it takes, and a free place to bind instead."""
        taken = [what for what, address in addresses.items() if self._takes(address)]
        if not taken:
            return None
        host = self.bind.rpartition(":")[0]
        others = (replace(self, bind=f"{host}:{port}") for port in range(EDGE_PORT, PORT_MAX, 10))
        return taken[0], next(
            other.bind for other in others if not any(map(other._takes, addresses.values()))
        )

    def _takes(self, address: str) -> bool:
        host, _, port = address.rpartition(":")
        own_host, _, own_port = self.bind.rpartition(":")
        meets = host == own_host or _is_everywhere(host) or _is_everywhere(own_host)
        return meets and port.isdecimal() and 0 <= int(port) - int(own_port) < EDGE_PORTS


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything a rig file says. Node ids are unique; `overlay`, `gateway` and `edge` may be absent.
    `keys` is the path of the keys folder; empty, the user's own.

    A rig of several computers has `hosts`; `reference` is the one whose clock the others are compared with.
    `host` names the one whose part this is, once `host_part` has taken it out. `place` makes errors that name
    file and line, where the rig was read from one.
    """

    name: str = "rig"
    broker: BrokerPlan = BrokerPlan()
    cameras: Mapping[str, CameraPlan] = field(default_factory=dict)
    trackers: Mapping[str, TrackerPlan] = field(default_factory=dict)
    overlay: OverlayPlan | None = None
    gateway: GatewayPlan | None = None
    edge: EdgePlan | None = None
    keys: str = ""
    hosts: Mapping[str, HostPlan] = field(default_factory=dict)
    relay: RelayPlan = field(default_factory=RelayPlan)
    reference: str = ""
    host: str = ""
    place: Place = field(default=CommandLine(), compare=False, repr=False)


def _is_everywhere(host: str) -> bool:
    return host.removeprefix("tcp://") in ("*", "0.0.0.0", "[::]")


def find_camera(rig: Rig, name: str) -> CameraPlan:
    """The plan of one camera. Raises UnknownName."""
    return _find(rig.cameras, "camera", name)


def find_tracker(rig: Rig, name: str) -> TrackerPlan:
    """The plan of one tracker. Raises UnknownName."""
    return _find(rig.trackers, "tracker", name)


def _find(plans: Mapping[str, Any], what: str, name: str) -> Any:
    if name not in plans:
        raise UnknownName(what, name, sorted(plans), next_step="use a name of the rig file")
    return plans[name]
