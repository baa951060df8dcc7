"""What the node makes of frames, states and events. Whole rigs with clients: tests/compat/pymultivideo."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import zmq

from zbus.compat.pymultivideo import FrontEndSettings
from zbus.compat.pymultivideo._node import _FrontEndNode, run_node
from zbus.config import BrokerPlan
from zbus.transport import FRAMES_OUT, Publisher, RawPublisher, Reactor
from zbus.wire import DIRECTORY, EVENT, FRAME, JPEG, STATE, Event, Frame, State, Topic, frame_of_image

ANY_PORT = "tcp://127.0.0.1:0"
CAPTURED_NS = 1_700_000_000_123_456_789
TurnUntil = Callable[[Callable[[], object]], None]


@dataclass
class NotedDoor:
    """A door that notes what it is told."""

    endpoint: str = "tcp://127.0.0.1:1"
    rig_door: str = "tcp://127.0.0.1:2"
    counters: Mapping[str, int] = field(default_factory=lambda: {"boxes": 3})
    sizes: list[tuple[int, int]] = field(default_factory=list)
    heard: list[State] = field(default_factory=list)

    def fit(self, size_px: tuple[int, int]) -> None:
        self.sizes.append(size_px)

    def hear(self, state: State) -> None:
        self.heard.append(state)


class Bench:
    """One node whose camera, bus and client are played by the test."""

    def __init__(self, broker: Any, loop: Reactor, turn_until: TurnUntil, ends: ExitStack) -> None:
        self.plan = BrokerPlan(broker.directory, broker.publish, broker.subscribe)
        self.loop, self.until, self._ends = loop, turn_until, ends
        self.door = NotedDoor()
        self.camera = ends.enter_context(Publisher("cam1", link=FRAMES_OUT, bind=[ANY_PORT]))

    def start(self, **settings: Any) -> None:
        told = FrontEndSettings("cam1", pub_address=ANY_PORT, **settings)
        self.node = _FrontEndNode(told, self.plan, self.camera.endpoints[0], self.door, self.loop)
        for each in (self.node.pictures, self.node.frames, self.node.states, self.node.presence):
            self._ends.enter_context(each)
        self.loop.watch(self.node.frames.socket, self.node.take)
        self.loop.watch(self.node.states.socket, self.node.take_states)
        self.until(lambda: self.camera.wants(Topic(FRAME, "cam1")))

    def client(self) -> "zmq.Socket[bytes]":
        """A subscriber that the node knows of."""
        socket = self._ends.enter_context(zmq.Context.instance().socket(zmq.SUB))
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(self.node.pictures.endpoint)
        self.until(lambda: self.node.pictures.is_wanted)
        return socket

    def show(self, frame: Frame) -> None:
        """Send a frame and turn the loop until the node has it."""
        received = self.node.frames.counters.received
        self.camera.send(Topic(FRAME, "cam1"), frame)
        self.until(lambda: self.node.frames.counters.received > received)

    def say(self, sender: str, kind: str, body: Any) -> Publisher:
        """Connect a node to the bus that says one thing."""
        publisher = self._ends.enter_context(Publisher(sender, connect=[self.plan.publish]))
        topic = Topic(kind, sender)
        self.until(lambda: publisher.wants(topic))
        publisher.send(topic, body)
        return publisher

    def fence(self, publisher: Publisher) -> None:
        """Turn the loop until the node has heard all that this publisher said so far."""
        publisher.send(Topic(STATE, publisher.node), state("overlay", "running"))
        self.until(lambda: self.door.heard)

    @property
    def told(self) -> tuple[str, str]:
        return self.node.presence.state, self.node.presence.cause

    def report(self) -> Any:
        return self.node._report()


@pytest.fixture
def bench(broker: Any, loop: Reactor, turn_until: TurnUntil) -> Iterator[Bench]:
    with ExitStack() as ends:
        yield Bench(broker, loop, turn_until, ends)


def frame_of(number: int, level: int = 50, size_px: tuple[int, int] = (8, 6)) -> Frame:
    image = np.full(size_px[::-1], level, np.uint8)
    return frame_of_image(
        image, "mono8", camera="cam1", frame_number=number, captured_ns=CAPTURED_NS + number, mono_ns=number
    )


def jpeg(number: int) -> Frame:
    data = b"\xff\xd8jpeg"
    return Frame("cam1", number, CAPTURED_NS, number, 8, 6, "mono8", data, codec=JPEG)


def state(role: str, name: str, cause: str = "", **details: Any) -> State:
    return State(role, name, 1, "here", 1, cause=cause, details=details)


def level_of(message: bytes) -> int:
    return b64decode(json.loads(message)["image"])[0]


def recv(bench: Bench, client: "zmq.Socket[bytes]") -> bytes:
    bench.until(lambda: client.poll(0))
    return client.recv()


def test_a_frame_makes_it_run_and_tells_the_door_its_size(bench: Bench) -> None:
    bench.start()
    assert bench.told == ("starting", "")
    bench.show(frame_of(1, size_px=(8, 6)))
    assert bench.told == ("running", "")
    assert bench.door.sizes == [(8, 6)]


def test_the_newest_picture_is_sent_at_every_tick_also_twice(bench: Bench) -> None:
    bench.start()
    client = bench.client()
    bench.show(frame_of(1, level=10))
    bench.show(frame_of(2, level=20))
    bench.node.put()
    bench.node.put()
    messages = [recv(bench, client) for _ in range(2)]
    assert [level_of(message) for message in messages] == [20, 20]
    bench.show(frame_of(3, level=30))
    bench.node.put()
    assert level_of(recv(bench, client)) == 30
    assert bench.report().counters["sent"] == 3


def test_a_tick_sends_nothing_where_nobody_subscribes(bench: Bench) -> None:
    bench.start()
    bench.show(frame_of(1))
    bench.node.put()
    assert bench.report().counters["sent"] == 0


def test_before_the_first_frame_a_tick_sends_nothing(bench: Bench) -> None:
    bench.start()
    bench.client()
    bench.node.put()
    assert bench.report().counters["sent"] == 0


def test_at_rate_zero_every_frame_is_sent_once_as_it_comes(bench: Bench) -> None:
    bench.start(put_rate=0.0)
    client = bench.client()
    for number in range(1, 6):
        bench.camera.send(Topic(FRAME, "cam1"), frame_of(number, level=number))
    assert [level_of(recv(bench, client)) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert bench.report().counters["sent"] == 5


def test_a_camera_that_sends_no_raw_pixels_is_told_and_counted(bench: Bench) -> None:
    bench.start(put_rate=0.0)
    bench.client()
    bench.show(jpeg(1))
    assert bench.told == ("degraded", "cam1 sends jpeg, not raw pixels")
    assert bench.report().counters["frames_unreadable"] == 1
    assert bench.report().counters["sent"] == 0
    assert bench.door.sizes == []
    bench.show(frame_of(2))
    assert bench.told == ("running", "")


@pytest.mark.parametrize(
    ("name", "cause", "told"),
    [
        (
            "degraded",
            "the cable is loose",
            "cam1 is degraded: the cable is loose; its last picture is sent on",
        ),
        ("stopped", "", "cam1 is stopped; its last picture is sent on"),
    ],
)
def test_a_camera_that_does_not_run_is_told_with_its_cause(
    bench: Bench, name: str, cause: str, told: str
) -> None:
    bench.start()
    bench.show(frame_of(1))
    bench.say("cam1", STATE, state("camera", name, cause))
    bench.until(lambda: bench.told[0] == "degraded")
    assert bench.told[1] == told
    bench.show(frame_of(2))
    assert bench.told == ("running", "")


def test_a_long_cause_is_cut(bench: Bench) -> None:
    bench.start()
    bench.say("cam1", STATE, state("camera", "degraded", "x" * 490))
    bench.until(lambda: bench.told[0] == "degraded")
    assert len(bench.told[1]) == 500


@pytest.mark.parametrize(
    ("sender", "name"), [("cam2", "degraded"), ("cam1", "starting"), ("cam1", "running")]
)
def test_states_of_others_and_of_a_running_camera_change_nothing(
    bench: Bench, sender: str, name: str
) -> None:
    bench.start()
    bench.show(frame_of(1))
    bench.fence(bench.say(sender, STATE, state("camera", name)))
    assert bench.told == ("running", "")


def test_the_door_hears_the_overlay_node_only(bench: Bench) -> None:
    bench.start()
    bench.say("cam2", STATE, state("camera", "running", door="tcp://127.0.0.1:8"))
    bench.say("boxes", STATE, state("overlay", "running", door="tcp://127.0.0.1:9"))
    bench.until(lambda: bench.door.heard)
    assert [dict(each.details) for each in bench.door.heard] == [{"door": "tcp://127.0.0.1:9"}]


@pytest.mark.parametrize("event", ["node_lost", "node_left"])
def test_a_camera_that_is_gone_is_told(bench: Bench, event: str) -> None:
    bench.start()
    bench.show(frame_of(1))
    bench.say(DIRECTORY, EVENT, Event(event, {"node": "cam1"}))
    bench.until(lambda: bench.told[0] == "degraded")
    assert bench.told[1] == "cam1 is gone from the bus; its last picture is sent on"


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("node_lost", {"node": "cam2"}),
        ("node_left", {"node": "cam1", "replaced": True}),
        ("node_joined", {"node": "cam1"}),
    ],
)
def test_a_camera_that_was_replaced_or_another_that_is_gone_changes_nothing(
    bench: Bench, event: str, fields: dict[str, Any]
) -> None:
    bench.start()
    bench.show(frame_of(1))
    bench.fence(bench.say(DIRECTORY, EVENT, Event(event, fields)))
    assert bench.told == ("running", "")


def test_the_report_tells_addresses_counters_and_settings(bench: Bench) -> None:
    bench.start(module="spinnaker")
    bench.show(frame_of(1))
    report = bench.report()
    assert report.details == {
        "camera": "cam1",
        "frames_from": bench.camera.endpoints[0],
        "unique_id": "cam1-spinnaker",
        "pub_address": bench.node.pictures.endpoint,
        "pull_address": bench.door.endpoint,
        "boxes_to": bench.door.rig_door,
        "put_rate_hz": 0.0,
    }
    assert report.counters["frames_received"] == 1
    assert report.counters["boxes"] == 3
    assert report.settings["module"] == "spinnaker"


def test_who_is_stopped_before_the_camera_appears_binds_nothing(
    loop: Reactor, nowhere: BrokerPlan, free_endpoint: Callable[[], str]
) -> None:
    settings = FrontEndSettings("cam1", pub_address=free_endpoint(), pull_address=free_endpoint())
    loop.stop()
    run_node(settings, nowhere, loop)
    with RawPublisher(settings.pub_address) as free:
        assert free.endpoint == settings.pub_address
