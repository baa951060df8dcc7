"""Memory ordering for the ring: what must be seen in order by another process (spec 9)."""

from __future__ import annotations

import platform
import threading

_TURN = threading.Lock()


def _fence_by_lock() -> None:
    """Keep what was read and written before this call apart from what comes after it.

    Why two round trips: taking a lock lets nothing later move before it, giving it back nothing earlier
    behind it; one round trip lets both move inside it, and there they could pass each other. The second
    taking comes after the first giving back, since both are on one lock.
    """
    with _TURN:
        pass
    with _TURN:
        pass


def _no_fence() -> None:
    """Nothing to do: this processor shows stores in their order, and loads too."""


def is_ordered(machine: str) -> bool:
    """True where the processor keeps stores in order with stores, and loads with loads (x86)."""
    return machine.lower() in ("x86_64", "amd64", "i386", "i686")


# Python reads and writes memory through calls that a compiler cannot see into, so that only the processor
# could change their order.
fence = _no_fence if is_ordered(platform.machine()) else _fence_by_lock
