"""Settings checked field by field, and the rig file."""

from zbus.config._host_plans import HostPlan, RelayPlan
from zbus.config._hosts import broker_of, host_part
from zbus.config._plans import (
    EDGE_PORT,
    BrokerPlan,
    CameraPlan,
    EdgePlan,
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
from zbus.config._toml_text import write_toml

__all__ = [
    "EDGE_PORT",
    "BrokerPlan",
    "CameraPlan",
    "CommandLine",
    "EdgePlan",
    "GatewayPlan",
    "HostPlan",
    "OverlayPlan",
    "Place",
    "RelayPlan",
    "Rig",
    "RigFile",
    "TrackerPlan",
    "broker_of",
    "describe_type",
    "find_camera",
    "find_tracker",
    "host_part",
    "load_rig",
    "read_settings",
    "write_rig",
    "write_toml",
]
