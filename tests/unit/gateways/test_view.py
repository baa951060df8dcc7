from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from zbus.errors import TransportError, UnknownName
from zbus.gateways import _view
from zbus.gateways._view import BusView, NoPicture
from zbus.transport import Gap
from zbus.wire import OVERLAY, TRACKS, Topic

from .messages import event, overlay, picture, state, tracks


def test_the_latest_of_a_topic_is_kept(view: BusView) -> None:
    for heard in (tracks("cam1", 1), newest := tracks("cam1", 2), drawn := overlay("cam1")):
        view.hear(heard)
    assert view.latest(Topic(TRACKS, "tracker1")) is newest
    assert view.latest(Topic(OVERLAY, "cam1")) is drawn
    assert view.latest(Topic(TRACKS, "nobody")) is None


def test_only_so_many_topics_and_events_are_kept(view: BusView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_view, "TOPICS_MAX", 2)
    for source in ("t1", "t2", "t3"):
        view.hear(tracks("cam1", source=source))
        view.hear(Gap(f"tracks/{source}/", 1, 5))
    assert view.latest(Topic(TRACKS, "t1")) is None
    assert [view.lost(Topic(TRACKS, source)) for source in ("t1", "t2", "t3")] == [1, 1, 0]
    for number in range(60):
        view.hear(event("cam1", f"event{number}"))
    assert len(view.events()) == 50


def test_gaps_are_counted_by_topic(view: BusView) -> None:
    view.hear(Gap("tracks/t/", 3, 7))
    view.hear(Gap("tracks/t/", 2, 20))
    assert view.lost(Topic(TRACKS, "t")) == 5


def test_a_picture_is_the_next_one(view: BusView) -> None:
    view.hear(state("cam1"))

    async def scenario() -> int:
        asyncio.get_running_loop().call_soon(view.hear, picture("cam1", 7))
        return (await view.picture("cam1", 5)).frame_number

    assert asyncio.run(scenario()) == 7


def test_no_picture_in_time_and_no_such_camera(view: BusView) -> None:
    view.hear(state("cam1"))
    with pytest.raises(NoPicture, match=r"within 0\.01 s"):
        asyncio.run(view.picture("cam1", 0.01))
    with pytest.raises(UnknownName, match="there is: cam1"):
        asyncio.run(view.picture("cam2", 0.01))


def test_a_wrong_endpoint_is_told_at_once() -> None:
    async def scenario() -> None:
        async with BusView("nowhere", "nowhere", viewers_max=1):
            pass

    with pytest.raises(TransportError, match="nowhere"):
        asyncio.run(scenario())


def test_a_node_that_falls_silent_is_told(view: BusView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_view, "EXPIRY_PERIOD_S", 0.01)
    monkeypatch.setattr("zbus.gateways._nodes.SILENCE_MAX_S", 0.05)

    async def scenario() -> list[str]:
        async with view:
            with view.audience.watch("") as mailbox:
                view.hear(state("cam1"))
                items = [await asyncio.wait_for(mailbox.take(), 5) for _ in range(2)]
                return [item.state.state for item in items]  # type: ignore[union-attr]

    assert asyncio.run(scenario()) == ["running", "lost"]


def test_the_directory_can_be_asked(endpoints: Mapping[str, str]) -> None:
    async def scenario() -> Mapping[str, object]:
        async with BusView(endpoints["subscribe"], endpoints["directory"], viewers_max=1) as view:
            return await view.request("endpoints")

    assert asyncio.run(scenario()) == endpoints


def test_a_pump_that_fails_is_told(view: BusView, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        failed = asyncio.Event()
        view.on_failure = failed.set
        async with view:
            view._pump.watch("ä")
            await asyncio.wait_for(failed.wait(), 5)

    asyncio.run(scenario())
    assert isinstance(view.failure, TransportError)
