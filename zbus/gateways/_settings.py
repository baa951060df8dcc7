"""What a gateway is told: where it listens, where its bus is, how many may watch."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

VIEWERS_MAX = 64
TITLE_MAX_CHARS = 80

_BIND = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where the gateway listens (`bind`, host:port; port 0 takes any free one) and where its bus is.

    `viewers_max` live pages and picture streams run at once. `insecure` allows an address beyond loopback
    although nothing locks it; `hosts` are further names under which browsers reach the gateway then.
    `key` is the path of the key file for a bus that is locked. `here` is what the nodes of this computer call
    it.
    Raises ValueError for what cannot be.
    """

    bind: str = "127.0.0.1:8080"
    directory: str = "tcp://127.0.0.1:5550"
    subscribe: str = "tcp://127.0.0.1:5552"
    viewers_max: int = 8
    insecure: bool = False
    title: str = "zbus"
    hosts: tuple[str, ...] = ()
    key: str = ""
    here: str = field(default_factory=socket.gethostname)

    def __post_init__(self) -> None:
        match = _BIND.fullmatch(self.bind)
        if match is None or int(match[2]) > 65_535:
            raise ValueError(f"bind is {self.bind!r}, not host:port such as 127.0.0.1:8080")
        if not 1 <= self.viewers_max <= VIEWERS_MAX:
            raise ValueError(f"viewers_max is {self.viewers_max}, not 1 to {VIEWERS_MAX}")
        if not 1 <= len(self.title) <= TITLE_MAX_CHARS:
            raise ValueError(f"title has {len(self.title)} characters, not 1 to {TITLE_MAX_CHARS}")

    @property
    def host(self) -> str:
        """The host part of `bind`, without the brackets of an IPv6 address."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `bind`."""
        return int(self.bind.rpartition(":")[2])
