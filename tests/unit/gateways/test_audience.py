from __future__ import annotations

import asyncio

import pytest

from zbus.gateways._audience import Audience, TooManyViewers
from zbus.gateways._mailbox import Mailbox
from zbus.wire import FRAME, STATE

from .messages import picture, state, tracks


class Source:
    def __init__(self) -> None:
        self.log: list[str] = []

    def watch(self, camera: str) -> None:
        self.log.append(f"+{camera}")

    def unwatch(self, camera: str) -> None:
        self.log.append(f"-{camera}")


def drain(mailbox: Mailbox) -> list[object]:
    async def take() -> list[object]:
        items = []
        while (item := await mailbox.take()) is not None:
            items.append(item)
            if not any(mailbox._streams.values()):
                break
        return items

    return asyncio.run(asyncio.wait_for(take(), 5))


def test_pictures_are_wanted_from_the_first_watcher_to_the_last() -> None:
    source = Source()
    audience = Audience(8, source)
    with audience.watch("cam1"):
        with audience.watch("cam1"), audience.watch("cam2"):
            assert source.log == ["+cam1", "+cam2"]
        assert source.log == ["+cam1", "+cam2", "-cam2"]
    assert source.log[-1] == "-cam1"


def test_who_wants_no_pictures_or_no_camera_causes_none() -> None:
    source = Source()
    audience = Audience(8, source)
    with audience.watch(""), audience.watch("cam1", frozenset({STATE})):
        pass
    assert source.log == []


def test_each_is_told_of_their_own_camera_and_of_all_nodes() -> None:
    audience = Audience(8, Source())
    shot, row, news = picture("cam1"), tracks("cam2"), state("cam1")
    with audience.watch("cam1") as first, audience.watch("cam2") as second:
        audience.tell(FRAME, "cam1", shot, camera="cam1")
        audience.tell("tracks", "t", row, camera="cam2")
        audience.tell(STATE, "cam1", news)
        assert drain(first) == [news, shot]
        assert drain(second) == [row, news]


def test_only_so_many_viewers_are_seated() -> None:
    audience = Audience(2, Source())
    with audience.seat(), audience.seat():
        with pytest.raises(TooManyViewers, match="2 viewers are watching"), audience.seat():
            pass
        assert audience.viewers == 2
    assert audience.viewers == 0


def test_dismissed_viewers_get_nothing_more() -> None:
    audience = Audience(2, Source())
    with audience.watch("cam1") as mailbox:
        audience.dismiss()
        assert asyncio.run(mailbox.take()) is None
