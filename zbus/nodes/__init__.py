"""One process each: the camera, tracker and overlay nodes, and the supervisor that keeps a rig running."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zbus.nodes._camera import make_camera, run_camera
    from zbus.nodes._folder import rig_folder
    from zbus.nodes._lifeline import end_with_supervisor
    from zbus.nodes._overlay import run_overlay
    from zbus.nodes._pictures import encode_jpeg, to_mono_or_bgr
    from zbus.nodes._presence import Presence, Report
    from zbus.nodes._probe import Probe
    from zbus.nodes._signals import on_stop_signals
    from zbus.nodes._supervisor import Supervisor, find_supervisor, find_supervisors, plan_children
    from zbus.nodes._tracker import find_frames, make_tracker, run_tracker

# Why: a node's process should not carry what only another kind of node needs.
_HOMES = {
    "Presence": "_presence",
    "Probe": "_probe",
    "Report": "_presence",
    "Supervisor": "_supervisor",
    "encode_jpeg": "_pictures",
    "end_with_supervisor": "_lifeline",
    "find_frames": "_tracker",
    "find_supervisor": "_supervisor",
    "find_supervisors": "_supervisor",
    "plan_children": "_supervisor",
    "make_camera": "_camera",
    "make_tracker": "_tracker",
    "on_stop_signals": "_signals",
    "rig_folder": "_folder",
    "run_camera": "_camera",
    "run_overlay": "_overlay",
    "run_tracker": "_tracker",
    "to_mono_or_bgr": "_pictures",
}

__all__ = [
    "Presence",
    "Probe",
    "Report",
    "Supervisor",
    "encode_jpeg",
    "end_with_supervisor",
    "find_frames",
    "find_supervisor",
    "find_supervisors",
    "make_camera",
    "make_tracker",
    "on_stop_signals",
    "plan_children",
    "rig_folder",
    "run_camera",
    "run_overlay",
    "run_tracker",
    "to_mono_or_bgr",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
