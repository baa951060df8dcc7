"""What a supervisor leaves for `zbus ps` and `zbus down`, which must work even where the broker does not."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan, Rig
from zbus.nodes._child import Child
from zbus.nodes._folder import rig_folder, rig_folders
from zbus.transport import IpcName

SUPERVISOR = "supervisor"
FILE_NAME = "supervisor.json"
WRITE_PERIOD_S = 1.0

log = logging.getLogger(__name__)


class StatusFile:
    """The present state of a rig's processes, written each second and when something happens."""

    def __init__(self, folder: Path, rig: Rig, children: Sequence[Child]) -> None:
        self._path, self._draft = folder / FILE_NAME, folder / f"{FILE_NAME}.new"
        self._rig, self._children = rig, children
        self._written_s = 0.0
        self._warned = False

    def refresh(self, *, at_once: bool) -> None:
        """Write where it is time, or `at_once`."""
        if at_once or time.monotonic() - self._written_s >= WRITE_PERIOD_S:
            self.write()

    def write(self) -> None:
        """Write now. A disk that is full does not end a rig: it is told once in the log."""
        self._written_s = time.monotonic()
        status = {
            "pid": os.getpid(),
            "rig": self._rig.name,
            "host": self._rig.host,
            "directory": self._rig.broker.directory,
            "children": [child.to_map() for child in self._children],
        }
        try:
            self._draft.write_text(json.dumps(status), encoding="utf-8")
            self._draft.replace(self._path)
        except OSError as error:
            if not self._warned:
                log.warning("zbus ps cannot see this rig: %s: %s", self._path, error.strerror)
            self._warned = True

    def remove(self) -> None:
        """Leave nothing behind."""
        self._draft.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


def find_supervisor(broker: BrokerPlan) -> dict[str, Any] | None:
    """The status of the supervisor of the rig at this address, None where none runs."""
    return _read_live(rig_folder(broker))


def find_supervisors() -> list[dict[str, Any]]:
    """The status of every supervisor of this user on this machine."""
    return [status for folder in rig_folders() if (status := _read_live(folder)) is not None]


def is_up(broker: BrokerPlan) -> bool:
    """True while a supervisor of the rig at this address runs and tells its status."""
    return find_supervisor(broker) is not None


def has_left(status: dict[str, Any]) -> bool:
    """True once the supervisor that wrote `status` has ended and given the rig's name back."""
    folder = rig_folder(BrokerPlan(directory=status["directory"]))
    now = _read(folder)
    if now is not None and now["pid"] != status["pid"]:
        return True
    return not IpcName(folder, SUPERVISOR).is_held()


def take_leftover(folder: Path) -> list[int]:
    """The processes that a killed supervisor left behind, as its status names them; the status is removed."""
    status = _read(folder)
    (folder / FILE_NAME).unlink(missing_ok=True)
    return [child["pid"] for child in status["children"]] if status else []


def is_alive(pid: int) -> bool:
    """True while this process runs; one that has ended and that nobody waits for does not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # Why: not every system has /proc; there the signal alone tells.
        return not Path("/proc/self/stat").exists()
    except OSError:
        return False
    return not line.rpartition(")")[2].lstrip().startswith("Z")


def _read_live(folder: Path) -> dict[str, Any] | None:
    status = _read(folder)
    return status if status is not None and IpcName(folder, SUPERVISOR).is_held() else None


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        status = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return status if isinstance(status, dict) else None
