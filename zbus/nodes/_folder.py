"""Where the nodes of one rig meet on this machine."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from zbus.config import BrokerPlan
from zbus.transport import check_endpoint, runtime_dir

NAME_MAX_CHARS = 64

_EVERYWHERE = re.compile(r"^(\*|0\.0\.0\.0|\[::\]|localhost)(?=:)")


def rig_folder(broker: BrokerPlan) -> Path:
    """This user's folder for the rig whose directory is at `broker.directory`: its sockets and locks.

    Why by address: nodes started one by one and nodes of a rig file meet at the same broker, and two rigs of
    one machine cannot have the same. Raises TransportError for what is not an endpoint.
    """
    return runtime_dir(_name_of(check_endpoint(broker.directory)))


def rig_folders() -> list[Path]:
    """The folders of every rig of this user on this machine."""
    return sorted(folder for folder in rig_folder(BrokerPlan()).parent.iterdir() if folder.is_dir())


def remove_rig_folder(broker: BrokerPlan) -> None:
    """Remove the folder of a rig whose address nobody will use again."""
    shutil.rmtree(rig_folder(broker), ignore_errors=True)


def _name_of(endpoint: str) -> str:
    scheme, address = endpoint.split("://", 1)
    if scheme == "tcp":
        # Why: who binds everywhere is met at the loopback address.
        address = _EVERYWHERE.sub("127.0.0.1", address)
    name = re.sub(r"[^A-Za-z0-9.]+", "-", address).strip("-.") or "rig"
    if len(name) <= NAME_MAX_CHARS:
        return name
    return f"long-{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"
