"""A bound on the memory of this process, so that a flood ends it and nothing else."""

from __future__ import annotations

import contextlib

# Why: an endless message, or a flood of subscriptions, is held by libzmq where no other bound counts
# (it ends the process when no more is to be had). A machine that swaps would stop every camera.
EDGE_MEMORY_MAX_BYTES = 2_147_483_648


def limit_memory(max_bytes: int) -> None:
    """Let this process have no more address space than this, and leave no core file with keys in it.

    Where the system has no such limits, nothing happens.
    """
    try:
        import resource
    except ImportError:
        return
    for kind, wanted in ((resource.RLIMIT_AS, max_bytes), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # Why: macOS knows the first one and refuses it.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (soft, hard))
