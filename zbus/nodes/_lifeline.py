"""What ties a process to the supervisor that started it: neither outlives the other unheard."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from zbus.errors import EXIT_FAILURE, NodeFailed, ZbusError

SUPERVISOR_FD = "ZBUS_SUPERVISOR_FD"
LAST_WORDS_MAX_BYTES = 8_192
CAUSE_MAX_CHARS, NEXT_STEP_MAX_CHARS = 1_000, 500
# So long may an orphan take to stop cleanly.
ORPHAN_GRACE_S = 5.0


class Lifeline:
    """The child's end of a pair of sockets. The supervisor never writes; it has ended when reading ends."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def watch(self, on_end: Callable[[], None] | None = None) -> None:
        """Call `on_end` in a thread once the supervisor is gone; the default ends this process."""
        threading.Thread(target=self._wait, args=[on_end or _end], name="lifeline", daemon=True).start()

    def tell(self, error: ZbusError) -> bool:
        """Say why this process ends; False where nobody hears it."""
        words = {
            "code": error.code,
            "exit_code": error.exit_code,
            "cause": error.cause[:CAUSE_MAX_CHARS],
            "next_step": error.next_step[:NEXT_STEP_MAX_CHARS],
        }
        try:
            return os.write(self._fd, json.dumps(words).encode()) > 0
        except OSError:
            return False

    def _wait(self, on_end: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            os.read(self._fd, 1)
        on_end()


def take_lifeline(environment: dict[str, str] | os._Environ[str] = os.environ) -> Lifeline | None:
    """The lifeline of this process where a supervisor started it, else None.

    It is taken out of the environment: what this process starts is not the supervisor's.
    """
    given = environment.pop(SUPERVISOR_FD, "")
    try:
        fd = int(given)
        os.set_inheritable(fd, False)
    except (ValueError, OverflowError, OSError):
        return None
    return Lifeline(fd)


def read_last_words(node: str, end: socket.socket) -> NodeFailed | None:
    """What `node`, which has ended, said last at the supervisor's `end`; None where it said nothing."""
    end.setblocking(False)
    try:
        words = json.loads(end.recv(LAST_WORDS_MAX_BYTES))
    except (OSError, ValueError):
        return None
    return _read(node, words) if isinstance(words, dict) else None


def _read(node: str, words: Mapping[str, Any]) -> NodeFailed:
    exit_code = words.get("exit_code")
    return NodeFailed(
        f"{node}: {words.get('cause')}",
        next_step=str(words.get("next_step", "")),
        code=str(words.get("code", NodeFailed.code)),
        exit_code=exit_code if isinstance(exit_code, int) else EXIT_FAILURE,
    )


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_GRACE_S)
    # Why: a process that hangs in a driver would keep the device from the next rig.
    os.kill(os.getpid(), signal.SIGKILL)
