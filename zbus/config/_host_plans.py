"""The hosts of a rig, and what crosses between them, as plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass

PORT_MAX = 65_535
RELAY_PORT = 5553
TOPICS = ("frame/", "frame.jpeg/", "tracks/", "overlay/", "state/", "event/")

_ENDPOINT = re.compile(r"tcp://[^\s/]+:(\d{1,5}|\*)|(ipc|inproc)://.+")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]")
# The beginning of a topic (spec 2), down to the kind alone.
_PREFIX = re.compile(r"[a-z]{1,16}(\.[a-z0-9]{1,16})?(/[A-Za-z0-9._-]{0,64}/?)?")


def check_endpoint(name: str, endpoint: str) -> None:
    """Raises ValueError, which begins with `name`, for what has not the form of an endpoint."""
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None or int((match[1] or "0").replace("*", "0")) > PORT_MAX:
        raise ValueError(f"{name} is {endpoint!r}, not an endpoint such as tcp://127.0.0.1:5550")


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One computer of a rig: at which `address` the others reach its relay.

    Its broker listens where `[broker]` says, which is loopback; `directory`, `publish` and `subscribe` say
    otherwise for this host alone.
    """

    address: str
    relay_port: int = RELAY_PORT
    directory: str = ""
    publish: str = ""
    subscribe: str = ""

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise ValueError(f"address is {self.address!r}, not one such as 10.0.0.1 or lab2.local")
        if not 1 <= self.relay_port <= PORT_MAX:
            raise ValueError(f"relay_port must be in 1..{PORT_MAX}")
        for name in ("directory", "publish", "subscribe"):
            if getattr(self, name):
                check_endpoint(name, getattr(self, name))

    @property
    def relay_endpoint(self) -> str:
        """Where its relay listens for the other hosts."""
        return f"tcp://{self.address}:{self.relay_port}"


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What crosses between the hosts of a rig.

    `topics` are beginnings of the topics that may; without `frame/` pictures cross as JPEG only. Of each
    camera at most `frames_hz` pictures a second cross, 0 is all. A picture older than `lifespan_ms` is not
    handed over on the other side. With `insecure` nothing is locked: whoever reaches the relay may read and
    write.
    """

    topics: tuple[str, ...] = TOPICS
    frames_hz: float = 0.0
    lifespan_ms: float = 200.0
    insecure: bool = False

    def __post_init__(self) -> None:
        for topic in self.topics:
            if not _PREFIX.fullmatch(topic):
                raise ValueError(
                    f"topics has {topic!r}, which begins no topic such as frame.jpeg/ or tracks/t1/"
                )
        if not 0 <= self.frames_hz <= 1000:
            raise ValueError("frames_hz must be in 0..1000, 0 for all")
        if not 1 <= self.lifespan_ms <= 60_000:
            raise ValueError("lifespan_ms must be in 1..60000")
