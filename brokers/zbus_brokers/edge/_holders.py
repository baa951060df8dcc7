"""Who holds which subscription at the edge, and what is asked of the broker for them. Holds no socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

# Prefixes of all guests together, of the connections of one key, and of one connection.
PREFIXES_MAX = 4_096
PREFIXES_PER_KEY_MAX = 1_024
PREFIXES_PER_CONNECTION_MAX = 256

# The key of a guest, and the descriptor of the connection.
Connection = tuple[str, int]


class Holders:
    """Mirrors the subscriptions of the edge's connections.

    A connection that ends takes its subscriptions back without saying who it was. Such a farewell is
    counted; a prefix is given back to the broker once as many farewells came as there were holders.

    Why by connection: a guest that takes back what it does not hold must not take it from the others. Where
    the count is in doubt, the edge asks the broker for more than it needs, never for less.
    """

    def __init__(
        self,
        prefixes_max: int = PREFIXES_MAX,
        per_connection_max: int = PREFIXES_PER_CONNECTION_MAX,
        per_key_max: int = PREFIXES_PER_KEY_MAX,
    ) -> None:
        self._prefixes_max, self._per_connection_max = prefixes_max, per_connection_max
        self._per_key_max = per_key_max
        self._by_key: Counter[str] = Counter()
        self._held: dict[bytes, set[Connection]] = {}
        self._granted: dict[Connection, dict[bytes, list[bytes]]] = {}
        self._gone: Counter[bytes] = Counter()
        self._asked: dict[bytes, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._held)

    @property
    def asked(self) -> list[bytes]:
        """What is asked of the broker, as often as it was asked for."""
        return [prefix for prefixes in self._asked.values() for prefix in prefixes]

    def has_room(self, connection: Connection, wanted: bytes) -> bool:
        """False where one more prefix would be too much."""
        if wanted in self._held:
            return connection in self._held[wanted] or self._has_own_room(connection)
        return len(self._held) < self._prefixes_max and self._has_own_room(connection)

    def add(self, connection: Connection, wanted: bytes, granted: Sequence[bytes]) -> list[bytes]:
        """Note a subscription and what of it was granted; returns what to ask of the broker."""
        holders = self._held.setdefault(wanted, set())
        if connection in holders:
            if not self._gone[wanted]:
                return []
            # Why: one of its holders has gone, perhaps this one, whose descriptor a new connection has now.
            self._gone[wanted] -= 1
        if connection not in holders:
            self._by_key[connection[0]] += 1
        holders.add(connection)
        self._granted.setdefault(connection, {})[wanted] = list(granted)
        self._asked.setdefault(wanted, []).extend(granted)
        return list(granted)

    def remove(self, connection: Connection, wanted: bytes) -> tuple[list[bytes], list[bytes]]:
        """Take a subscription back: what its connection has no more, and what to give back to the broker."""
        if connection not in self._held.get(wanted, ()):
            return [], []
        self._held[wanted].discard(connection)
        if self._gone[wanted]:
            # Why: it may be the one that has gone, and a new connection has its descriptor.
            self._gone[wanted] -= 1
        granted = self._forget(connection, wanted)
        others = self._granted.get(connection, {}).values()
        withdrawn = [prefix for prefix in granted if not any(prefix in other for other in others)]
        return withdrawn, self._release(wanted)

    def lose(self, wanted: bytes) -> list[bytes]:
        """A connection that held this has ended; returns what to give back to the broker."""
        if wanted not in self._held:
            return []
        self._gone[wanted] += 1
        return self._release(wanted)

    def _has_own_room(self, connection: Connection) -> bool:
        is_key_modest = self._by_key[connection[0]] < self._per_key_max
        return is_key_modest and len(self._granted.get(connection, ())) < self._per_connection_max

    def _release(self, wanted: bytes) -> list[bytes]:
        holders = self._held[wanted]
        if len(holders) > self._gone[wanted]:
            return []
        for connection in holders:
            self._forget(connection, wanted)
        del self._held[wanted]
        self._gone.pop(wanted, None)
        return self._asked.pop(wanted)

    def _forget(self, connection: Connection, wanted: bytes) -> list[bytes]:
        granted = self._granted[connection].pop(wanted)
        self._by_key[connection[0]] -= 1
        if not self._granted[connection]:
            del self._granted[connection]
        return granted
