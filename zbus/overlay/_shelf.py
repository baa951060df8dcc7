"""A bounded container in which whoever holds the most makes room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class _Held(Generic[ItemT]):
    item: ItemT
    owner: str
    weight: int


class Shelf(Generic[KeyT, ItemT]):
    """Items by key, oldest first, at most `max_items` of them and at most `max_weight` together.

    Past a bound, the oldest item of whoever holds the most of it goes, but never the newest item.
    """

    def __init__(self, max_items: int, max_weight: int) -> None:
        self._max_items = max_items
        self._max_weight = max_weight
        self._held: dict[KeyT, _Held[ItemT]] = {}
        self._items_of: Counter[str] = Counter()
        self._weight_of: Counter[str] = Counter()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: KeyT) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[tuple[KeyT, ItemT]]:
        return iter([(key, held.item) for key, held in self._held.items()])

    def put(self, key: KeyT, item: ItemT, owner: str, weight: int = 1) -> int:
        """Take `item` in as the newest, in place of what `key` held. Returns how many had to go.

        `weight` is at least 1.
        """
        self.pop(key)
        self._held[key] = _Held(item, owner, weight)
        self._items_of[owner] += 1
        self._weight_of[owner] += weight
        self._weight += weight
        return self._make_room(key)

    def pop(self, key: KeyT) -> ItemT | None:
        """Give `key`'s item away; None where there is none."""
        held = self._held.pop(key, None)
        if held is None:
            return None
        self._weight -= held.weight
        self._weight_of[held.owner] -= held.weight
        self._items_of[held.owner] -= 1
        if not self._items_of[held.owner]:
            del self._items_of[held.owner], self._weight_of[held.owner]
        return held.item

    def clear(self) -> None:
        """Empty the shelf."""
        self._held.clear()
        self._items_of.clear()
        self._weight_of.clear()
        self._weight = 0

    def _make_room(self, newest: KeyT) -> int:
        gone = 0
        while len(self) > 1 and (len(self) > self._max_items or self._weight > self._max_weight):
            shares = self._items_of if len(self) > self._max_items else self._weight_of
            self.pop(self._victim(newest, shares))
            gone += 1
        return gone

    def _victim(self, newest: KeyT, shares: Counter[str]) -> KeyT:
        # Why: the newcomer counts for nothing here, or else whoever came last would lose every tie.
        newcomer = self._held[newest]
        before = shares[newcomer.owner] - (1 if shares is self._items_of else newcomer.weight)
        others = (share for owner, share in shares.items() if owner != newcomer.owner)
        most = max(before, max(others, default=0))
        for key, held in self._held.items():
            share = before if held.owner == newcomer.owner else shares[held.owner]
            if share == most and key != newest:
                return key
        raise LookupError("a shelf past its bounds holds more than its newest item")
