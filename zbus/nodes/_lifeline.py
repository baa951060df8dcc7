"""A child of a supervisor ends with it, however the supervisor ends."""

from __future__ import annotations

import os
import signal
import threading

from zbus.nodes._child import SUPERVISOR_FD


def end_with_supervisor() -> None:
    """Where a supervisor started this process, send it SIGTERM once that supervisor is gone."""
    lifeline = os.environ.pop(SUPERVISOR_FD, "")
    if lifeline:
        threading.Thread(target=_wait, args=[int(lifeline)], name="lifeline", daemon=True).start()


def _wait(lifeline_fd: int) -> None:
    # Why: nobody ever writes; the read returns when the last writer, the supervisor, has ended.
    os.read(lifeline_fd, 1)
    os.kill(os.getpid(), signal.SIGTERM)
