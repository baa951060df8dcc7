from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest

from zbus.gateways._live import PICTURES_IN_FLIGHT_MAX, LiveViewer, Pace, encode_picture
from zbus.gateways._view import BusView

from .messages import event, overlay, picture, state, tracks

HELLO = {"title": "Arena", "exposed": False}


class Socket:
    """A viewer: what it was sent, and what it says."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.closed: list[int] = []
        self.says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send_text(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def send_bytes(self, data: bytes) -> None:
        length = struct.unpack(">I", data[:4])[0]
        self.sent.append((json.loads(data[4 : 4 + length]), data[4 + length :]))

    async def receive(self) -> dict[str, Any]:
        return await self.says.get()

    async def close(self, code: int, reason: str) -> None:
        self.closed.append(code)

    def say(self, form: object) -> None:
        self.says.put_nowait({"type": "websocket.receive", "text": json.dumps(form)})

    def leave(self) -> None:
        self.says.put_nowait({"type": "websocket.disconnect"})

    def pictures(self) -> list[int]:
        return [each[0]["frame_number"] for each in self.sent if isinstance(each, tuple)]

    def told(self, kind: str) -> list[Any]:
        return [each for each in self.sent if isinstance(each, dict) and each["type"] == kind]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def watch(view: BusView, socket: Socket, scenario: Any) -> None:
    with view.audience.watch("cam1") as mailbox:
        viewer = LiveViewer(socket, view, mailbox, "cam1")  # type: ignore[arg-type]
        running = asyncio.ensure_future(viewer.run(HELLO))
        await settle()
        await scenario()
        socket.leave()
        await asyncio.wait_for(running, 5)


def test_a_viewer_is_told_what_it_missed_and_then_what_happens(view: BusView) -> None:
    socket = Socket()
    for heard in (
        state("cam1"),
        event("cam1", "camera_found"),
        overlay("cam1", lifetime_s=50),
        tracks("cam1", 3),
    ):
        view.hear(heard)

    async def scenario() -> None:
        assert [each["type"] for each in socket.sent] == ["hello", "state", "event", "tracks", "overlay"]
        assert socket.sent[0] == {"type": "hello", **HELLO, "camera": "cam1", "nodes": ["cam1"]}
        for heard in (picture("cam1", 4), tracks("cam1", 4), tracks("cam2", 9), picture("cam2", 9)):
            view.hear(heard)
        await settle()

    asyncio.run(watch(view, socket, scenario))
    assert [each["frame_number"] for each in socket.told("tracks")] == [3, 4]
    header, jpeg = socket.sent[-1]
    assert (header["camera"], header["frame_number"], header["width"], header["height"]) == (
        "cam1",
        4,
        64,
        48,
    )
    assert {"captured_us", "age_ms", "lost", "skipped"} <= set(header)
    assert jpeg == b"\xff\xd8jpeg"


def test_the_truth_of_a_simulated_camera_is_no_news(view: BusView) -> None:
    socket = Socket()

    async def scenario() -> None:
        view.hear(event("cam1", "truth", frame_number=1))
        await settle()

    asyncio.run(watch(view, socket, scenario))
    assert socket.told("event") == []


def test_who_tells_what_was_shown_is_not_sent_more_than_that_allows(view: BusView) -> None:
    socket = Socket()

    async def scenario() -> None:
        view.hear(picture("cam1", 1, seq=1))
        await settle()
        socket.say({"shown": 1})
        await settle()
        for number in range(2, 8):
            view.hear(picture("cam1", number, seq=number))
            await settle()
        assert socket.pictures() == [1, 2, 3]
        view.hear(tracks("cam1", 7))
        await settle()
        assert len(socket.told("tracks")) == 1
        socket.say({"shown": 3})
        await settle()
        assert socket.pictures() == [1, 2, 3, 7]
        assert socket.sent[-1][0]["skipped"] == 3

    asyncio.run(watch(view, socket, scenario))


def test_who_tells_nothing_is_sent_everything(view: BusView) -> None:
    socket = Socket()

    async def scenario() -> None:
        for number in range(5):
            view.hear(picture("cam1", number))
            await settle()
        assert socket.pictures() == [0, 1, 2, 3, 4]

    asyncio.run(watch(view, socket, scenario))


def test_a_dismissed_viewer_is_closed_as_going_away(view: BusView) -> None:
    socket = Socket()

    async def scenario() -> None:
        view.audience.dismiss()
        await settle()

    asyncio.run(watch(view, socket, scenario))
    assert socket.closed == [1001]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '"shown"', '{"shown": {}}', '{"shown": 99}', "[" * 5_000, '{"shown": [1]}']
)
def test_nonsense_from_a_viewer_changes_nothing(text: str) -> None:
    pace = Pace()
    pace.send(picture("cam1", 1), 0)
    pace.acknowledge(text)
    for number in range(2, 9):
        pace.send(picture("cam1", number), 0)
    assert not pace.is_full


def test_what_the_bus_lost_was_not_skipped() -> None:
    pace = Pace()
    assert pace.send(picture("cam1", 1, seq=1), 0) == 0
    assert pace.send(picture("cam1", 9, seq=9), 5) == 2
    assert pace.send(picture("cam1", 10, seq=10), 5) == 2
    assert PICTURES_IN_FLIGHT_MAX >= 1


def test_a_picture_is_a_length_a_header_and_a_jpeg() -> None:
    data = encode_picture({"camera": "cam1"}, picture("cam1", data=b"JPEG").body)  # type: ignore[arg-type]
    assert data == b'\x00\x00\x00\x11{"camera":"cam1"}JPEG'
