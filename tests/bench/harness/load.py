"""What else the machine does while it is measured, and what kind of machine it is."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any

LIBRARIES = ("zbus-rig", "pyzmq", "msgpack", "numpy", "imagezmq", "vidgear", "eclipse-zenoh", "iceoryx2")


class Load:
    """How many processors others kept busy between `__init__` and `to_map`."""

    def __init__(self) -> None:
        self._began_s, self._busy_s, self._own_s = monotonic(), busy_s(), -own_s()

    def add_own(self, seconds: float) -> None:
        """Count what a side of a round took: that is not foreign."""
        self._own_s += seconds

    def to_map(self) -> dict[str, Any]:
        """`foreign_cores` is what was not ours; Linux only, else None."""
        took_s, busy, own = monotonic() - self._began_s, busy_s(), self._own_s + own_s()
        foreign = None
        if busy is not None and self._busy_s is not None:
            foreign = round(max(0.0, busy - self._busy_s - own) / took_s, 2)
        return {"seconds": round(took_s, 1), "foreign_cores": foreign, "load_average": load_average()}


def busy_s() -> float | None:
    """Seconds that all processors together were busy since the machine started."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, stat.read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """Seconds that this process has kept a processor busy."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def load_average() -> list[float]:
    """The load average of the last 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()]


def machine() -> dict[str, Any]:
    """What the figures were taken on; no name of a host, a person or a folder."""
    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "libraries": {name: found for name in LIBRARIES if (found := installed(name))},
    }


def processor() -> str:
    """The name of the processor, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def installed(name: str) -> str:
    """The version of a library; empty where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
