import time
from contextlib import contextmanager

import numpy as np
import pytest
import zmq

from zbus.errors import AddressInUse, ExposedAddress
from zbus.transport import EVERY, FRAMES_OUT, SMALL_OUT, Publisher, Reactor, Subscriber, make_socket
from zbus.wire import Event, State, Topic, frame_of_image
from zbus_brokers import Forwarder
from zbus_brokers import _forwarder as forwarder_module

ANY = "tcp://127.0.0.1:0"
CAM = Topic("frame", "cam1")
DEADLINE_S = 20.0


class Rig:
    """A forwarder and its loop, turned by the test."""

    def __init__(self, forwarder, reactor):
        self.forwarder, self.reactor, self.counters = forwarder, reactor, forwarder.counters

    def run(self, condition):
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "the condition did not come true"
            self.reactor.run_once(0.01)

    def settle(self):
        """Turn until nothing happens for a while."""
        for _ in range(20):
            self.reactor.run_once(0.005)

    def publisher(self, node="n1", link=SMALL_OUT):
        return Publisher(node, link=link, connect=[self.forwarder.publish_endpoint])

    @contextmanager
    def subscriber(self, topics, policy=EVERY):
        """A subscriber whose subscription is in force."""
        before = self.forwarder.subscribers.connected
        with Subscriber(self.forwarder.subscribe_endpoint, topics, policy=policy, ring="off") as subscriber:
            self.run(lambda: self.forwarder.subscribers.connected > before)
            self.settle()
            yield subscriber

    def recv(self, subscriber):
        got = []
        self.run(lambda: got.extend(filter(None, [subscriber.recv(0)])) or got)
        return got[0]


@pytest.fixture
def rig():
    with Reactor() as reactor, Forwarder(ANY, ANY, reactor) as forwarder:
        yield Rig(forwarder, reactor)


def state(node="n1", state="running"):
    return Topic("state", node), State("camera", state, 1, "h", 1)


def frame(number=0, width=64, height=48):
    image = np.zeros((height, width), np.uint8)
    return frame_of_image(image, "mono8", camera="cam1", frame_number=number, captured_ns=0, mono_ns=0)


def wait_for_connection(rig, publisher):
    """The forwarder always wants states."""
    rig.run(lambda: publisher.wants(Topic("state", "n1")))


def test_messages_cross_unchanged(rig):
    with rig.publisher() as publisher, rig.subscriber("frame/cam1/") as subscriber:
        rig.run(lambda: publisher.wants(CAM))
        publisher.send(CAM, frame(7))
        received = rig.recv(subscriber)
        assert (received.topic, received.origin.node, received.body.frame_number) == (CAM, "n1", 7)
        assert rig.counters.forwarded == 1
        assert rig.counters.forwarded_bytes > 64 * 48


def test_frames_do_not_cross_while_nobody_subscribes(rig):
    with rig.publisher() as publisher:
        wait_for_connection(rig, publisher)
        for number in range(20):
            publisher.send(CAM, frame(number))
        rig.settle()
        assert rig.counters.forwarded == 0
        with rig.subscriber("frame/cam1/") as subscriber:
            rig.run(lambda: publisher.wants(CAM))
            publisher.send(CAM, frame(20))
            assert rig.recv(subscriber).origin.seq == 20
        rig.run(lambda: not publisher.wants(CAM))
        publisher.send(CAM, frame(21))
        rig.settle()
        assert rig.counters.forwarded == 1
        assert rig.counters.subscriptions == 0


def test_a_subscription_stops_with_the_last_who_had_it(rig):
    with rig.publisher() as publisher:
        with rig.subscriber("frame/cam1/"):
            rig.run(lambda: publisher.wants(CAM))
            with rig.subscriber("frame/cam1/"):
                assert rig.counters.subscriptions == 1
            rig.settle()
            assert publisher.wants(CAM)
        rig.run(lambda: not publisher.wants(CAM))


def test_a_late_joiner_gets_the_last_states(rig):
    with rig.publisher() as publisher:
        wait_for_connection(rig, publisher)
        for node in ("n1", "n2", "n3"):
            for word in ("starting", "running"):
                publisher.send(*state(node, word))
        rig.run(lambda: len(rig.forwarder.cache) == 3)
        with rig.subscriber("state/") as late:
            got = [rig.recv(late) for _ in range(3)]
            assert [(each.topic.source, each.body.state) for each in got] == [
                (node, "running") for node in ("n1", "n2", "n3")
            ]
        with rig.subscriber("state/n2/") as late:
            assert rig.recv(late).topic.source == "n2"
            rig.settle()
            assert late.recv(0) is None
        assert rig.counters.replayed == 4


def test_who_was_there_already_is_handed_nothing_twice_and_misses_nothing(rig):
    """The states come again for whoever subscribed to them, and are known by their `seq`."""
    with rig.publisher() as publisher, rig.subscriber(["state/", "event/"]) as early:
        wait_for_connection(rig, publisher)
        rig.run(lambda: publisher.wants(Topic("event", "n1")))
        publisher.send(*state())
        assert rig.recv(early).origin.seq == 0
        for number in range(5):
            with rig.subscriber("state/") as late:
                publisher.send(Topic("event", "n1"), Event("tick"))
                assert rig.recv(early).origin.seq == number
                assert rig.recv(late).topic.kind == "state"
        rig.settle()
        assert early.recv(0) is None
        assert (early.counters.gaps, early.counters.repeated) == (0, 5)


def test_who_subscribes_to_frames_gets_no_states(rig):
    with rig.publisher() as publisher:
        wait_for_connection(rig, publisher)
        publisher.send(*state())
        rig.run(lambda: len(rig.forwarder.cache) == 1)
        with rig.subscriber("frame/") as subscriber:
            rig.settle()
            assert subscriber.recv(0) is None
            assert rig.counters.replayed == 0


def test_more_states_than_may_wait_reach_the_late_joiner(rig):
    for number in range(1_000):
        rig.forwarder.cache.remember([f"state/n{number}/".encode(), b"x"])
    with rig.subscriber("state/") as late:
        rig.run(lambda: late.take() or late.counters.refused.get("header_not_map") == 1_000)
    assert rig.counters.replayed == 1_000


def test_who_subscribed_twice_within_a_moment_is_given_each_state_once(rig):
    with rig.publisher() as publisher:
        wait_for_connection(rig, publisher)
        publisher.send(*state())
        rig.run(lambda: len(rig.forwarder.cache) == 1)
        with rig.subscriber(["state/", "state/n1/", "state/n"]) as late:
            assert rig.recv(late)
            rig.settle()
            assert rig.counters.replayed == 1


def test_large_messages_after_small_ones_and_back_go_on(rig):
    """The length of a queue in use must not change: a shorter one never moved again."""
    with rig.publisher() as publisher, rig.subscriber(["frame/", "event/"]) as subscriber:
        rig.run(lambda: publisher.wants(CAM) and publisher.wants(Topic("event", "n1")))
        for number in range(300):
            publisher.send(Topic("event", "n1"), Event("tick"))
            assert rig.recv(subscriber).origin.seq == number
            if number % 100 == 99:
                publisher.send(CAM, frame(0, 2_048, 1_024))
                assert rig.recv(subscriber).topic == CAM
        assert subscriber.counters.gaps == 0


def test_a_late_publisher_learns_every_subscription(rig):
    """More of them than a short queue would let through at once."""
    topics = [f"frame/cam{number}/" for number in range(500)]
    with rig.subscriber(topics):
        rig.run(lambda: rig.counters.subscriptions == 500)
        with rig.publisher(link=FRAMES_OUT) as publisher:
            rig.run(lambda: all(publisher.wants(Topic("frame", f"cam{n}")) for n in range(500)))


def test_a_publisher_that_was_there_learns_every_subscription(rig):
    topics = [f"frame/cam{number}/" for number in range(500)]
    with rig.publisher(link=FRAMES_OUT) as publisher:
        wait_for_connection(rig, publisher)
        with rig.subscriber(topics):
            rig.run(lambda: all(publisher.wants(Topic("frame", f"cam{n}")) for n in range(500)))


@pytest.mark.parametrize(
    "message",
    [
        [b"frame/cam1/"],
        [b""],
        [b"frame/cam1", b"header"],
        [b"nonsense", b"header"],
        [b"\xff" * 20, b"header"],
        [b"frame/" + b"x" * 5_000 + b"/", b"header"],
        [b"frame/cam1/", *[b""] * 40],
        [b"frame/cam1/", b"x" * 5_000, b"pixels"],
        [b"event/cam1/", b"x" * 400_000],
        [b"state/cam1/", b"header", b"x" * 400_000],
    ],
)
def test_what_is_no_message_is_counted_and_does_not_cross(rig, message):
    with make_socket(zmq.PUB, SMALL_OUT) as stranger, rig.subscriber("") as subscriber:
        stranger.connect(rig.forwarder.publish_endpoint)
        rig.run(lambda: stranger.send_multipart(message) or rig.counters.refused)
        assert rig.counters.forwarded == 0
        assert sum(subscriber.counters.refused.values()) == 0


@pytest.mark.parametrize(
    "message", [[b"hello"], [b""], [b"\2frame/"], [b"x", b"\1frame/cam1/"], [b"\1" + b"x" * 200]]
)
def test_what_is_no_subscription_is_counted_and_subscribes_nothing(rig, message):
    with make_socket(zmq.XSUB, SMALL_OUT) as stranger:
        stranger.connect(rig.forwarder.subscribe_endpoint)
        rig.run(lambda: rig.forwarder.subscribers.connected)
        stranger.send_multipart(message)
        rig.run(lambda: rig.counters.refused)
        assert rig.counters.subscriptions == 0


def test_the_number_of_prefixes_is_bounded(rig, monkeypatch):
    monkeypatch.setattr(forwarder_module, "PREFIXES_MAX", 3)
    with rig.subscriber([f"frame/cam{number}/" for number in range(10)]):
        rig.run(lambda: rig.counters.refused == 7)
        assert rig.counters.subscriptions == 3
    rig.run(lambda: rig.counters.subscriptions == 0)


def test_a_subscription_too_long_ends_its_connection_and_no_other(rig):
    with rig.publisher() as publisher, rig.subscriber("frame/") as honest:
        rig.run(lambda: publisher.wants(CAM))
        with make_socket(zmq.XSUB, SMALL_OUT) as stranger:
            stranger.connect(rig.forwarder.subscribe_endpoint)
            stranger.send(b"\1" + b"x" * 100_000)
            rig.run(lambda: rig.forwarder.subscribers.disconnected)
        publisher.send(CAM, frame())
        assert rig.recv(honest)


def test_connections_are_counted(rig):
    with rig.publisher(), rig.subscriber("frame/"):
        rig.run(lambda: rig.forwarder.publishers.connected == 1)
        assert rig.forwarder.subscribers.connected == 1
    rig.run(lambda: rig.forwarder.publishers.disconnected == 1 == rig.forwarder.subscribers.disconnected)


def test_what_cannot_be_bound_leaves_nothing_open():
    with Reactor() as reactor, Forwarder(ANY, ANY, reactor) as first:
        for publish, subscribe, error in (
            (first.publish_endpoint, ANY, AddressInUse),
            (ANY, first.subscribe_endpoint, AddressInUse),
            (ANY, "tcp://0.0.0.0:0", ExposedAddress),
        ):
            second = Forwarder(publish, subscribe, reactor)
            with pytest.raises(error):
                second.open()
            second.close()
        reactor.run_once(0)


def test_closing_takes_its_callbacks_from_the_loop():
    with Reactor() as reactor:
        for _ in range(2):
            with Forwarder(ANY, ANY, reactor) as forwarder:
                reactor.run_once(0.01)
            forwarder.close()
            reactor.run_once(0.01)
        assert all(timer.cancelled for timer in reactor._timers)
