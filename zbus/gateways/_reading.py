"""What can be read of a rig over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

import zbus
from zbus.gateways._forms import (
    Form,
    camera_form,
    node_form,
    overlay_form,
    tracks_form,
    waited_s,
)
from zbus.gateways._view import BusView
from zbus.wire import DIRECTORY, LOST_STATE, OVERLAY, OverlaySet, Topic, TracksMessage


def reading_routes(view: BusView, exposed: bool) -> APIRouter:
    """Nodes, cameras, tracks, overlays and health."""
    routes = APIRouter(prefix="/v1", tags=["reading"])

    @routes.get("/nodes")
    async def nodes() -> dict[str, list[Form]]:
        """Every node that was heard, with its state."""
        return {"nodes": [node_form(node) for node in view.nodes()]}

    @routes.get("/cameras")
    async def cameras() -> dict[str, list[Form]]:
        """Every camera that was heard."""
        return {"cameras": [camera_form(node) for node in view.cameras()]}

    @routes.get("/tracks/{camera}")
    async def tracks(camera: str) -> dict[str, Any]:
        """The newest tracks of a camera, one entry for each tracker that follows it."""
        view.camera(camera)
        return {"camera": camera, "tracks": _tracks(view, camera)}

    @routes.get("/overlays/{camera}")
    async def overlays(camera: str) -> Form:
        """What is drawn over a camera now; each shape's `lifetime_s` is what is left of it."""
        view.camera(camera)
        received = view.latest(Topic(OVERLAY, camera))
        if received is None or not isinstance(received.body, OverlaySet):
            return {"camera": camera, "shapes": []}
        return overlay_form(received.body, waited_s(received))

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the gateway hears the bus. It answers 200 either way: the gateway itself is well."""
        return {
            "bus": "heard" if _hears_bus(view) else "silent",
            "version": zbus.__version__,
            "cameras": len(view.cameras()),
            "nodes": len(view.nodes()),
            "viewers": view.audience.viewers,
            "viewers_max": view.audience.viewers_max,
            "dropped": view.dropped,
            "exposed": exposed,
        }

    return routes


def _tracks(view: BusView, camera: str) -> list[Form]:
    return [
        tracks_form(received, received.body, view.is_here(received.origin.node))
        for received in view.tracks_of(camera)
        if isinstance(received.body, TracksMessage)
    ]


def _hears_bus(view: BusView) -> bool:
    return any(node.node == DIRECTORY and node.state.state != LOST_STATE for node in view.nodes())
