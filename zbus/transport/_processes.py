"""Whether a process still is the one that it was: numbers of processes are given again."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN_START = 0


def start_of(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine's start; None where there is no such process.

    UNKNOWN_START where the system does not tell.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # Why the last bracket: before it stands the program's name, which may hold brackets and spaces.
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return UNKNOWN_START if _exists(pid) else None


def is_running(pid: int, start: int) -> bool:
    """True while the process `pid` runs that began at `start`; in doubt it does."""
    found = start_of(pid)
    return (found is not None and UNKNOWN_START in (found, start)) or found == start


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
