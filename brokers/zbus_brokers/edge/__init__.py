"""The edge: the one door of a rig for other computers, locked by keys, in a process of its own."""

from zbus_brokers.edge._edge import run_edge

__all__ = ["run_edge"]
