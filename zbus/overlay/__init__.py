"""Overlays while they live: the expiring store, its fair intake, and drawing without a page (spec 5)."""

from zbus.overlay._drawing import draw_overlays, draw_tracks
from zbus.overlay._fairness import (
    OVERLAYS_PER_TURN_MAX,
    SENDER_BURST,
    SENDER_RATE_HZ,
    SENDERS_MAX,
    Intake,
    sender_of,
)
from zbus.overlay._shelf import Shelf
from zbus.overlay._store import CAMERAS_MAX, SET_MAX_BYTES, DoorDefaults, OverlayStore

__all__ = [
    "CAMERAS_MAX",
    "OVERLAYS_PER_TURN_MAX",
    "SENDERS_MAX",
    "SENDER_BURST",
    "SENDER_RATE_HZ",
    "SET_MAX_BYTES",
    "DoorDefaults",
    "Intake",
    "OverlayStore",
    "Shelf",
    "draw_overlays",
    "draw_tracks",
    "sender_of",
]
