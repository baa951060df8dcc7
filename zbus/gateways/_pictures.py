"""Pictures over plain HTTP: one, or one after the other for an <img>."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from zbus.gateways._view import BusView
from zbus.transport import Received
from zbus.wire import FRAME, Frame

SNAPSHOT_TIMEOUT_S = 2.0
BOUNDARY = "picture"


def picture_routes(view: BusView) -> APIRouter:
    """`snapshot.jpg` and `stream.mjpg` of each camera."""
    routes = APIRouter(prefix="/v1/cameras/{camera}", tags=["pictures"])

    @routes.get("/snapshot.jpg", response_class=Response)
    async def snapshot(camera: str) -> Response:
        """The next picture. 404 for an unknown camera, 504 where none came in two seconds."""
        frame = await view.picture(camera, SNAPSHOT_TIMEOUT_S)
        headers = {
            "Zbus-Frame-Number": str(frame.frame_number),
            "Zbus-Captured-Us": str(frame.captured_ns // 1_000),
        }
        return Response(bytes(frame.data), media_type="image/jpeg", headers=headers)

    @routes.get("/stream.mjpg", response_class=StreamingResponse)
    async def stream(camera: str) -> StreamingResponse:
        """Pictures one after the other, for an <img>. 503 where too many are watching."""
        view.camera(camera)
        parts = _parts(view, camera)
        # Why: the seat is taken before the answer begins, so that it can still be a 503.
        await anext(parts)
        return StreamingResponse(parts, media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    return routes


async def _parts(view: BusView, camera: str) -> AsyncIterator[bytes]:
    with view.audience.seat(), view.audience.watch(camera, frozenset({FRAME})) as mailbox:
        yield b""
        while (item := await mailbox.take()) is not None:
            if isinstance(item, Received) and isinstance(item.body, Frame):
                yield _part(item.body)


def _part(frame: Frame) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {frame.nbytes}\r\n\r\n"
    return b"".join((head.encode(), frame.data, b"\r\n"))
