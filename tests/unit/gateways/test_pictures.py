"""Pictures over HTTP from a view fed by hand; on a real bus: test_gateway.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from zbus.gateways import _pictures
from zbus.gateways._view import BusView

from .conftest import Ask
from .messages import UTC_NS, picture, state, tracks

SNAPSHOT = "/v1/cameras/cam1/snapshot.jpg"
STREAM = "/v1/cameras/cam1/stream.mjpg"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def is_watched(view: BusView) -> bool:
    return bool(view.audience._watchers("cam1"))


def during(ask: Ask, view: BusView, path: str, scenario: Callable[[], Awaitable[None]]) -> httpx.Response:
    """The answer to `path`, while whose pictures are watched `scenario` happens."""

    async def run() -> httpx.Response:
        asking: Any = asyncio.ensure_future(ask(path))  # type: ignore[arg-type]
        await until(lambda: is_watched(view) or asking.done())
        await scenario()
        return await asyncio.wait_for(asking, 5)

    view.hear(state("cam1"))
    return asyncio.run(run())


def test_a_snapshot_is_the_next_picture_with_its_number_and_time(ask: Ask, view: BusView) -> None:
    async def scenario() -> None:
        view.hear(picture("cam2", 6))
        view.hear(picture("cam1", 7, data=b"\xff\xd8seven"))

    answer = during(ask, view, SNAPSHOT, scenario)
    assert (answer.status_code, answer.content) == (200, b"\xff\xd8seven")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["zbus-frame-number"] == "7"
    assert answer.headers["zbus-captured-us"] == str(UTC_NS // 1_000)
    assert answer.headers["cache-control"] == "no-store"
    assert not is_watched(view)


def test_where_no_picture_comes_in_time_that_is_told(
    ask: Ask, view: BusView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pictures, "SNAPSHOT_TIMEOUT_S", 0.01)
    view.hear(state("cam1"))
    answer = asyncio.run(ask(SNAPSHOT))
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "no_picture")
    assert not is_watched(view)


@pytest.mark.parametrize("path", [SNAPSHOT, STREAM])
def test_an_unknown_camera_is_not_found_and_takes_no_seat(ask: Ask, view: BusView, path: str) -> None:
    view.hear(state("cam9"))
    answer = asyncio.run(ask(path))
    assert answer.status_code == 404
    assert "there is: cam9" in answer.json()["error"]["cause"]
    assert view.audience.viewers == 0


def test_a_stream_is_pictures_with_their_lengths_one_after_the_other(ask: Ask, view: BusView) -> None:
    async def scenario() -> None:
        assert view.audience.viewers == 1
        (mailbox,) = view.audience._mailboxes
        for heard in (picture("cam1", 1, data=b"ONE"), tracks("cam1", 1), picture("cam1", 2, data=b"THREE")):
            view.hear(heard)
            await until(lambda: not any(mailbox._streams.values()))
            await asyncio.sleep(0)
        view.audience.dismiss()

    answer = during(ask, view, STREAM, scenario)
    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
    assert answer.content == (
        b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\nONE\r\n"
        b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nTHREE\r\n"
    )
    assert view.audience.viewers == 0
    assert not is_watched(view)


def test_a_stream_without_a_seat_is_refused_before_it_begins(ask: Ask, view: BusView) -> None:
    view.hear(state("cam1"))
    with view.audience.seat(), view.audience.seat():
        answer = asyncio.run(ask(STREAM))
        assert view.audience.viewers == 2
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
    assert not is_watched(view)


def test_a_snapshot_needs_no_seat(ask: Ask, view: BusView) -> None:
    async def scenario() -> None:
        view.hear(picture("cam1", 7))

    with view.audience.seat(), view.audience.seat():
        assert during(ask, view, SNAPSHOT, scenario).status_code == 200
