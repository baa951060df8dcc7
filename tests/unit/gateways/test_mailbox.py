from __future__ import annotations

import asyncio

import pytest

from zbus.gateways import _mailbox
from zbus.gateways._mailbox import Mailbox

KINDS = frozenset({"frame", "tracks"})


def taken(mailbox: Mailbox[str], count: int) -> list[str | None]:
    async def take() -> list[str | None]:
        async with asyncio.timeout(5):
            return [await mailbox.take() for _ in range(count)]

    return asyncio.run(take())


def test_the_newest_wins_within_each_stream() -> None:
    mailbox: Mailbox[str] = Mailbox(KINDS)
    for number in range(5):
        mailbox.put("frame", "cam1", f"cam1 {number}")
        mailbox.put("frame", "cam2", f"cam2 {number}")
    assert taken(mailbox, 2) == ["cam1 4", "cam2 4"]


def test_a_stream_with_depth_keeps_that_many_in_order() -> None:
    mailbox: Mailbox[str] = Mailbox(KINDS)
    for number in range(5):
        mailbox.put("tracks", "t", str(number), depth=3)
    assert taken(mailbox, 3) == ["2", "3", "4"]


def test_the_last_kind_comes_last_and_may_be_held() -> None:
    mailbox: Mailbox[str] = Mailbox(KINDS, last_kind="frame")
    mailbox.put("frame", "cam1", "picture")
    mailbox.put("tracks", "t", "tracks")
    mailbox.hold("frame")
    assert taken(mailbox, 1) == ["tracks"]

    async def release() -> str | None:
        waiting = asyncio.ensure_future(mailbox.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        mailbox.hold("")
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(release()) == "picture"


def test_other_kinds_are_not_kept() -> None:
    mailbox: Mailbox[str] = Mailbox(frozenset({"tracks"}))
    mailbox.put("frame", "cam1", "picture")
    mailbox.put("tracks", "t", "tracks")
    assert taken(mailbox, 1) == ["tracks"]


def test_closing_ends_a_waiting_take_and_every_later_one() -> None:
    async def scenario() -> None:
        mailbox: Mailbox[str] = Mailbox(KINDS)
        waiting = asyncio.ensure_future(mailbox.take())
        await asyncio.sleep(0)
        mailbox.close()
        assert await asyncio.wait_for(waiting, 5) is None
        mailbox.put("frame", "cam1", "late")
        assert await mailbox.take() is None

    asyncio.run(scenario())


def test_a_take_waits_for_what_comes() -> None:
    async def scenario() -> str | None:
        mailbox: Mailbox[str] = Mailbox(KINDS)
        asyncio.get_running_loop().call_soon(mailbox.put, "frame", "cam1", "picture")
        return await asyncio.wait_for(mailbox.take(), 5)

    assert asyncio.run(scenario()) == "picture"


def test_there_are_only_so_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mailbox, "STREAMS_MAX", 2)
    mailbox: Mailbox[str] = Mailbox(KINDS)
    for source in "abc":
        mailbox.put("tracks", source, source)
    mailbox.close()
    assert len(mailbox._streams) == 2
