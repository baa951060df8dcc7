"""Which cameras the operating system has found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Device:
    """A video device: its `path`, to be given to OpenCVCamera, and the `name` that its driver tells."""

    path: str
    name: str


def list_devices(registry: Path = SYSFS) -> list[Device]:
    """The video devices of this host in order of their number; empty on systems other than Linux.

    One camera may show as several devices, of which some give only metadata.
    """
    if not registry.is_dir():
        return []
    nodes = [node for node in registry.iterdir() if re.fullmatch(r"video[0-9]+", node.name)]
    nodes.sort(key=lambda node: int(node.name.removeprefix("video")))
    return [Device(f"/dev/{node.name}", _read_name(node)) for node in nodes]


def _read_name(node: Path) -> str:
    try:
        return (node / "name").read_text(errors="replace").strip()
    except OSError:
        return ""
