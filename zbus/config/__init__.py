"""Settings checked field by field, and the rig file."""

from zbus.config._plans import (
    BrokerPlan,
    CameraPlan,
    GatewayPlan,
    OverlayPlan,
    Rig,
    TrackerPlan,
    find_camera,
    find_tracker,
)
from zbus.config._rig import RigFile, load_rig
from zbus.config._rig_text import write_rig
from zbus.config._settings import CommandLine, Place, describe_type, read_settings

__all__ = [
    "BrokerPlan",
    "CameraPlan",
    "CommandLine",
    "GatewayPlan",
    "OverlayPlan",
    "Place",
    "Rig",
    "RigFile",
    "TrackerPlan",
    "describe_type",
    "find_camera",
    "find_tracker",
    "load_rig",
    "read_settings",
    "write_rig",
]
