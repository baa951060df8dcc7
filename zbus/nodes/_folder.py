"""Where the nodes of one rig meet on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from zbus.config import BrokerPlan
from zbus.transport import runtime_dir


def rig_folder(broker: BrokerPlan) -> Path:
    """This user's folder for the rig whose directory is at `broker.directory`: its sockets and locks.

    Why by address: nodes started one by one and nodes of a rig file meet at the same broker, and two rigs of
    one machine cannot have the same.
    """
    address = broker.directory.split("://", 1)[-1]
    return runtime_dir(re.sub(r"[^A-Za-z0-9.]+", "-", address).strip("-"))
