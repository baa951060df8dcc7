"""Sweeping rings whose writers died without removing them."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from zbus.errors import WireError
from zbus.transport._processes import is_running
from zbus.transport._ring_file import SHARED_MEMORY, has_ring, read_ring_header
from zbus.wire import check_ring_name

# A file without a header belongs to somebody who is about to write it, or who died of it.
HEADLESS_MAX_AGE_S = 10.0

_log = logging.getLogger(__name__)


def sweep_rings(folder: Path | None = None) -> list[str]:
    """Remove this user's rings whose writer is dead and whose lock is free; returns their names.

    Why both: a process number may be seen from another container, or be given again; and a lock lives on in
    a child of the writer.
    """
    folder = folder or SHARED_MEMORY
    if not has_ring(folder):
        return []
    return [path.name for path in sorted(folder.glob("zbus.*.ring")) if _sweep(path)]


def _sweep(path: Path) -> bool:
    import fcntl

    try:
        check_ring_name(path.name)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (WireError, OSError):
        # Why not told: what is not a ring, not ours or gone by now is none of our business.
        return False
    try:
        if os.fstat(descriptor).st_uid != os.geteuid() or not _is_ownerless(descriptor):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError as error:
        _log.debug("%s stays: %s", path, error)
        return False
    finally:
        os.close(descriptor)
    _log.info("removed %s, whose writer is dead", path)
    return True


def _is_ownerless(descriptor: int) -> bool:
    try:
        header = read_ring_header(descriptor)
    except WireError:
        return time.time() - os.fstat(descriptor).st_mtime > HEADLESS_MAX_AGE_S
    return not is_running(header.writer_pid, header.writer_start)
