from __future__ import annotations

import asyncio
import threading

import pytest

from zbus.gateways import _handoff
from zbus.gateways._handoff import Handoff, Heard

from .messages import picture, state


def delivered(heard: list[Heard]) -> tuple[list[Heard], Handoff]:
    """What arrives in the loop of what another thread put while the loop was busy."""
    got: list[Heard] = []
    handoff = Handoff(got.append)

    async def scenario() -> None:
        handoff.open(asyncio.get_running_loop())
        thread = threading.Thread(target=lambda: [handoff.put(each) for each in heard])
        thread.start()
        thread.join()
        assert got == []
        await asyncio.sleep(0)

    asyncio.run(scenario())
    return got, handoff


def test_everything_comes_in_order_but_of_pictures_only_the_newest() -> None:
    states, pictures = [state("a"), state("b"), state("a")], [picture("cam1", n) for n in range(4)]
    other = picture("cam2")
    got, handoff = delivered([*states, *pictures, other])
    assert got == [*states, pictures[-1], other]
    assert handoff.dropped == 0


def test_beyond_the_bound_the_oldest_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handoff, "WAITING_MAX", 3)
    states = [state(f"n{number}") for number in range(5)]
    got, handoff = delivered(list(states))
    assert got == states[-3:]
    assert handoff.dropped == 2


def test_it_must_be_opened_first() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        Handoff(lambda heard: None).put(state("a"))
