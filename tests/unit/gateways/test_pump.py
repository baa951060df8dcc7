from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from zbus.errors import TransportError
from zbus.gateways._handoff import Heard
from zbus.gateways._pump import Pump
from zbus.transport import FRAMES_OUT, Publisher, Received
from zbus.wire import EVENT, FRAME, JPEG_RENDITION, OVERLAY, STATE, TRACKS, Topic

from .messages import event, overlay, picture, state, tracks

JPEG_TOPIC = Topic(FRAME, "cam1", JPEG_RENDITION)
WaitUntil = Callable[[Callable[[], object]], None]


class Ear:
    """Notes what a pump hands over, and in which thread."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.threads: set[str] = set()
        self.failures: list[Exception] = []

    def deliver(self, heard: Heard) -> None:
        self.threads.add(threading.current_thread().name)
        self.heard.append(heard)

    def of_kind(self, kind: str, source: str) -> list[Received]:
        received = [each for each in list(self.heard) if isinstance(each, Received)]
        return [each for each in received if (each.topic.kind, each.topic.source) == (kind, source)]


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def pump(endpoints: Mapping[str, str], ear: Ear) -> Iterator[Pump]:
    with Pump(endpoints["subscribe"], ear.deliver, ear.failures.append) as pump:
        yield pump


@pytest.fixture
def camera(endpoints: Mapping[str, str]) -> Iterator[Publisher]:
    with Publisher("cam1", link=FRAMES_OUT, connect=[endpoints["publish"]]) as publisher:
        yield publisher


def is_running() -> bool:
    return any(thread.name == "gateway-pump" for thread in threading.enumerate())


def test_it_hears_what_everybody_says_but_no_pictures(
    pump: Pump, ear: Ear, endpoints: Mapping[str, str], wait_until: WaitUntil
) -> None:
    said = {
        STATE: state("node1").body,
        EVENT: event("node1", "camera_found").body,
        TRACKS: tracks("cam1").body,
        OVERLAY: overlay("cam1").body,
    }
    with Publisher("node1", connect=[endpoints["publish"]]) as publisher:
        for kind, body in said.items():
            wait_until(lambda kind=kind: publisher.wants(Topic(kind, "node1")))
            publisher.send(Topic(kind, "node1"), body)
        wait_until(lambda: all(ear.of_kind(kind, "node1") for kind in said))
        assert not publisher.wants(Topic(FRAME, "node1"))
    assert ear.threads == {"gateway-pump"}
    assert ear.failures == []


def test_pictures_are_wanted_while_a_camera_is_watched(
    pump: Pump, ear: Ear, camera: Publisher, wait_until: WaitUntil
) -> None:
    wait_until(lambda: camera.wants(Topic(STATE, "cam1")))
    assert not camera.wants_rendition(JPEG_TOPIC)
    pump.watch("cam1")
    pump.watch("cam1")
    wait_until(lambda: camera.wants_rendition(JPEG_TOPIC))
    camera.send(JPEG_TOPIC, picture("cam1", 7).body)
    wait_until(lambda: ear.of_kind(FRAME, "cam1"))
    assert [each.body.frame_number for each in ear.of_kind(FRAME, "cam1")] == [7]  # type: ignore[union-attr]
    pump.unwatch("cam1")
    wait_until(lambda: not camera.wants_rendition(JPEG_TOPIC))


def test_a_camera_is_watched_again_after_it_was_not(
    pump: Pump, ear: Ear, camera: Publisher, wait_until: WaitUntil
) -> None:
    pump.unwatch("cam1")
    for number in (1, 2):
        pump.watch("cam1")
        wait_until(lambda: camera.wants_rendition(JPEG_TOPIC))
        camera.send(JPEG_TOPIC, picture("cam1", number).body)
        wait_until(lambda number=number: len(ear.of_kind(FRAME, "cam1")) == number)
        pump.unwatch("cam1")
        wait_until(lambda: not camera.wants_rendition(JPEG_TOPIC))
    assert ear.failures == []


def test_what_is_no_endpoint_is_told_before_a_thread_runs(ear: Ear) -> None:
    with pytest.raises(TransportError, match="nowhere"), Pump("nowhere", ear.deliver, ear.failures.append):
        pass
    assert not is_running()


def test_closing_ends_the_thread_and_the_pictures(
    endpoints: Mapping[str, str], ear: Ear, camera: Publisher, wait_until: WaitUntil
) -> None:
    pump = Pump(endpoints["subscribe"], ear.deliver, ear.failures.append)
    with pump:
        assert is_running()
        pump.watch("cam1")
        wait_until(lambda: camera.wants_rendition(JPEG_TOPIC))
    assert not is_running()
    wait_until(lambda: not camera.wants_rendition(JPEG_TOPIC))
    pump.close()


def test_before_and_after_its_time_watching_does_nothing(ear: Ear) -> None:
    pump = Pump("tcp://127.0.0.1:1", ear.deliver, ear.failures.append)
    pump.watch("cam1")
    pump.unwatch("cam1")
    with pump:
        pass
    pump.watch("cam1")
    assert pump._pictures == {}


def test_what_ends_the_thread_is_told_once_and_nothing_stays_open(
    endpoints: Mapping[str, str], ear: Ear, camera: Publisher, wait_until: WaitUntil
) -> None:
    with ExitStack() as ends:
        pump = ends.enter_context(Pump(endpoints["subscribe"], ear.deliver, ear.failures.append))
        pump.watch("cam1")
        wait_until(lambda: camera.wants_rendition(JPEG_TOPIC))
        pump.watch("ä")
        wait_until(lambda: ear.failures and not is_running())
        wait_until(lambda: not camera.wants_rendition(JPEG_TOPIC))
    assert [type(error) for error in ear.failures] == [TransportError]
