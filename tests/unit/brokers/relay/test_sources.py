from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zbus.transport import FRAMES_OUT, Publisher, Reactor
from zbus.wire import Event, Frame, Topic, frame_of_image
from zbus_brokers import Forwarder
from zbus_brokers.relay._outbox import Outgoing
from zbus_brokers.relay._sources import LocalSources

ANY = "tcp://127.0.0.1:0"
CAM, EVENTS, STATES = Topic("frame", "cam1"), Topic("event", "n1"), Topic("state", "n1")


def frame(number: int, mono_ns: int = 0, captured_ns: int = 0) -> Frame:
    image = np.zeros((4, 4), np.uint8)
    return frame_of_image(
        image, "mono8", camera="cam1", frame_number=number, captured_ns=captured_ns, mono_ns=mono_ns
    )


@pytest.fixture
def forwarder(reactor: Reactor) -> Iterator[Forwarder]:
    with Forwarder(ANY, ANY, reactor) as forwarder:
        yield forwarder


@pytest.fixture
def got() -> list[Outgoing]:
    return []


@pytest.fixture
def sources(forwarder: Forwarder, reactor: Reactor, got: list[Outgoing]) -> Iterator[LocalSources]:
    with LocalSources(forwarder.subscribe_endpoint, reactor, got.append) as sources:
        yield sources


def test_only_what_is_read_comes_and_states_are_remembered(
    sources: LocalSources, forwarder: Forwarder, got: list[Outgoing], turn: Any
) -> None:
    with Publisher("n1", connect=[forwarder.publish_endpoint]) as publisher:
        sources.read({str(EVENTS): [], str(STATES): []})
        turn(lambda: publisher.wants(EVENTS))
        publisher.send(EVENTS, Event("tick"))
        turn(lambda: got)
        assert (got[0].topic, len(got[0].parts)) == (str(EVENTS), 2)
        assert sources.last_of(str(STATES)) is None
        sources.read({str(STATES): []})
        turn(lambda: not publisher.wants(EVENTS))


def test_frames_come_from_the_cameras_own_endpoint_where_it_is_there(
    sources: LocalSources, forwarder: Forwarder, got: list[Outgoing], turn: Any, tmp_path: Path
) -> None:
    with Publisher("cam1", link=FRAMES_OUT, ipc_folder=tmp_path) as camera:
        sources.read({str(CAM): camera.endpoints})
        turn(lambda: camera.wants(CAM))
        now_ns, utc_ns = time.monotonic_ns(), time.time_ns()
        camera.send(CAM, frame(1, now_ns, utc_ns))
        camera.send(CAM, frame(2, 5, utc_ns))
        turn(lambda: len(got) == 2)
        assert got[0].began_ns == now_ns
        # Why: its times show that it was not grabbed by this host's clock.
        assert got[1].began_ns > now_ns
        sources.read({})
        turn(lambda: not camera.wants(CAM))
    sources.read({str(CAM): ["ipc:///nowhere"]})
    with Publisher("cam1", link=FRAMES_OUT, connect=[forwarder.publish_endpoint]) as camera:
        turn(lambda: camera.wants(CAM))


def test_what_is_no_message_is_counted(sources: LocalSources, got: list[Outgoing], turn: Any) -> None:
    from zbus.transport import RawPublisher

    with RawPublisher(ANY) as stranger:
        sources.read({str(CAM): []})
        sources.close()
        sources._subscribe = stranger.endpoint
        sources.open()
        sources.read({str(CAM): []})
        turn(lambda: stranger.is_wanted)
        stranger.send([CAM.encode(), b"\xc1"])
        turn(lambda: sources.refused == 1)
    assert got == []
