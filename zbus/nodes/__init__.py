"""One process each: the camera, tracker and overlay nodes, and the supervisor that keeps a rig running."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zbus.nodes._addresses import free_ports, is_answered, is_free, taken_places
    from zbus.nodes._camera import make_camera, run_camera
    from zbus.nodes._child import ChildPlan
    from zbus.nodes._folder import remove_rig_folder, rig_folder
    from zbus.nodes._keeper import Keeper
    from zbus.nodes._lifeline import Lifeline, take_lifeline
    from zbus.nodes._open_files import allow_many_files
    from zbus.nodes._overlay import run_overlay
    from zbus.nodes._pictures import encode_jpeg, to_mono_or_bgr
    from zbus.nodes._presence import Presence, Report
    from zbus.nodes._probe import Probe
    from zbus.nodes._signals import on_stop_signals
    from zbus.nodes._status import find_supervisor, find_supervisors, has_left
    from zbus.nodes._supervisor import Supervisor, plan_children, plan_edge
    from zbus.nodes._tracker import find_frames, make_tracker, run_tracker

# Why: a node's process should not carry what only another kind of node needs.
_HOMES = {
    "ChildPlan": "_child",
    "Keeper": "_keeper",
    "Lifeline": "_lifeline",
    "Presence": "_presence",
    "Probe": "_probe",
    "Report": "_presence",
    "Supervisor": "_supervisor",
    "allow_many_files": "_open_files",
    "encode_jpeg": "_pictures",
    "find_frames": "_tracker",
    "find_supervisor": "_status",
    "find_supervisors": "_status",
    "free_ports": "_addresses",
    "has_left": "_status",
    "is_answered": "_addresses",
    "is_free": "_addresses",
    "make_camera": "_camera",
    "make_tracker": "_tracker",
    "on_stop_signals": "_signals",
    "plan_children": "_supervisor",
    "plan_edge": "_supervisor",
    "remove_rig_folder": "_folder",
    "rig_folder": "_folder",
    "run_camera": "_camera",
    "run_overlay": "_overlay",
    "run_tracker": "_tracker",
    "take_lifeline": "_lifeline",
    "taken_places": "_addresses",
    "to_mono_or_bgr": "_pictures",
}

__all__ = [
    "ChildPlan",
    "Keeper",
    "Lifeline",
    "Presence",
    "Probe",
    "Report",
    "Supervisor",
    "allow_many_files",
    "encode_jpeg",
    "find_frames",
    "find_supervisor",
    "find_supervisors",
    "free_ports",
    "has_left",
    "is_answered",
    "is_free",
    "make_camera",
    "make_tracker",
    "on_stop_signals",
    "plan_children",
    "plan_edge",
    "remove_rig_folder",
    "rig_folder",
    "run_camera",
    "run_overlay",
    "run_tracker",
    "take_lifeline",
    "taken_places",
    "to_mono_or_bgr",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
