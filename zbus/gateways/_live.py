"""The live socket: pictures and everything told about them, to one viewer, newest first.

Binary messages are pictures: four bytes, big-endian, with the length of a JSON header, the header, the JPEG.
Text messages are JSON with a `type`: hello, state, event, tracks, overlay. A viewer that sends
`{"shown": frame_number}` after each picture is never sent more than PICTURES_IN_FLIGHT_MAX ahead of that.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from zbus.gateways._audience import Item, TooManyViewers
from zbus.gateways._forms import (
    event_form,
    node_form,
    overlay_form,
    picture_form,
    tracks_form,
    waited_s,
)
from zbus.gateways._mailbox import Mailbox
from zbus.gateways._nodes import Node
from zbus.gateways._view import BusView
from zbus.transport import Received
from zbus.wire import FRAME, OVERLAY, Event, Frame, OverlaySet, Topic, TracksMessage, is_source_name

PICTURES_IN_FLIGHT_MAX = 2
TRY_AGAIN_LATER = 1013
BAD_REQUEST = 1008
GOING_AWAY = 1001


def live_routes(view: BusView, hello: dict[str, Any]) -> APIRouter:
    """`/v1/live?camera=ID`; without a camera, states and events only. `hello` is told first."""
    routes = APIRouter()

    @routes.websocket("/v1/live")
    async def live(socket: WebSocket, camera: str = "") -> None:
        await socket.accept()
        if camera and not is_source_name(camera):
            await socket.close(BAD_REQUEST, "that is not a camera id")
            return
        try:
            with view.audience.seat(), view.audience.watch(camera) as mailbox:
                await LiveViewer(socket, view, mailbox, camera).run(hello)
        except TooManyViewers as error:
            await socket.close(TRY_AGAIN_LATER, error.cause)

    return routes


class LiveViewer:
    """One viewer on its socket."""

    def __init__(self, socket: WebSocket, view: BusView, mailbox: Mailbox[Item], camera: str) -> None:
        self._socket, self._view, self._mailbox, self._camera = socket, view, mailbox, camera
        self._pace = Pace()

    async def run(self, hello: dict[str, Any]) -> None:
        """Send until the viewer goes or the gateway lets it go."""
        tasks = {asyncio.create_task(self._send_all(hello)), asyncio.create_task(self._listen())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if not isinstance(error := task.exception(), WebSocketDisconnect | None):
                raise error

    async def _send_all(self, hello: dict[str, Any]) -> None:
        names = [node.node for node in self._view.nodes()]
        await self._tell("hello", {**hello, "camera": self._camera, "nodes": names})
        for known in self._known():
            await self._send(known)
        while (item := await self._mailbox.take()) is not None:
            await self._send(item)
        await self._socket.close(GOING_AWAY, "the gateway stops")

    def _known(self) -> list[Item]:
        """What a viewer who comes now has missed and still needs."""
        overlay = self._view.latest(Topic(OVERLAY, self._camera)) if self._camera else None
        tracks = self._view.tracks_of(self._camera)
        return [*self._view.nodes(), *self._view.events(), *tracks, *([overlay] if overlay else [])]

    async def _send(self, item: Item) -> None:
        if isinstance(item, Node):
            await self._tell("state", node_form(item))
        elif isinstance(item.body, Frame):
            await self._show(item, item.body)
        elif isinstance(item.body, TracksMessage):
            is_here = self._view.is_here(item.origin.node)
            lost = self._view.lost(item.topic)
            await self._tell("tracks", {**tracks_form(item, item.body, is_here), "lost": lost})
        elif isinstance(item.body, OverlaySet):
            await self._tell("overlay", overlay_form(item.body, waited_s(item)))
        elif isinstance(item.body, Event):
            await self._tell("event", event_form(item, item.body))

    async def _tell(self, kind: str, form: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps({"type": kind, **form}, separators=(",", ":")))

    async def _show(self, received: Received, frame: Frame) -> None:
        lost = self._view.lost(received.topic)
        skipped = self._pace.send(received, lost)
        self._hold_pictures()
        form = picture_form(frame, self._view.is_here(received.origin.node))
        await self._socket.send_bytes(encode_picture({**form, "lost": lost, "skipped": skipped}, frame))

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._pace.acknowledge(message.get("text") or "")
            self._hold_pictures()

    def _hold_pictures(self) -> None:
        self._mailbox.hold(FRAME if self._pace.is_full else "")


class Pace:
    """How far a viewer is behind: what was sent, what it has shown, what had to be skipped for it."""

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._acknowledges = False
        self._session, self._seq, self._lost, self._skipped = "", 0, 0, 0

    @property
    def is_full(self) -> bool:
        """True while the viewer has as many pictures before it as it may."""
        return self._acknowledges and len(self._sent) >= PICTURES_IN_FLIGHT_MAX

    def send(self, received: Received, lost: int) -> int:
        """Note a picture as sent; returns how many were skipped for this viewer so far.

        `lost` of those missing never reached the gateway.
        """
        assert isinstance(received.body, Frame)
        self._sent = [*self._sent, received.body.frame_number][-PICTURES_IN_FLIGHT_MAX:]
        if received.origin.session == self._session:
            missing = received.origin.seq - self._seq - 1
            self._skipped += max(0, missing - (lost - self._lost))
        self._session, self._seq, self._lost = received.origin.session, received.origin.seq, lost
        return self._skipped

    def acknowledge(self, text: str) -> None:
        """Take `{"shown": frame_number}`: that picture and those before it. Anything else changes nothing."""
        try:
            shown = json.loads(text)["shown"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if shown in self._sent:
            self._acknowledges = True
            self._sent = self._sent[self._sent.index(shown) + 1 :]


def encode_picture(form: dict[str, Any], frame: Frame) -> bytes:
    """A picture as one binary message."""
    header = json.dumps(form, separators=(",", ":")).encode()
    return b"".join((struct.pack(">I", len(header)), header, frame.data))
