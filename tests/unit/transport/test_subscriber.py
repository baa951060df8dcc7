import time

import pytest
import zmq

from zbus.errors import TransportError
from zbus.transport import (
    EVERY,
    LATEST,
    SMALL_OUT,
    Duplicate,
    Gap,
    Publisher,
    Restart,
    Subscriber,
    make_socket,
)
from zbus.transport import _subscriber as subscriber_module
from zbus.wire import Topic

from .messages import CAM, TOPIC, event, frame, parts

ANY = "tcp://127.0.0.1:0"


@pytest.fixture
def stranger():
    """A publisher that sends whatever it likes."""
    with make_socket(zmq.XPUB, SMALL_OUT) as socket:
        socket.bind(ANY)
        yield socket


def open_subscriber(stranger, topics="event/", **options) -> Subscriber:
    subscriber = Subscriber(stranger.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode(), topics, **options)
    subscriber.open()
    assert stranger.poll(10_000)
    stranger.recv()
    return subscriber


def wait_for_arrival(subscriber: Subscriber) -> None:
    assert subscriber.socket.poll(10_000)


def test_latest_hands_over_the_newest_of_each_topic(wait_until):
    with (
        Publisher("n1", bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "event/", policy=LATEST) as subscriber,
    ):
        wait_until(lambda: publisher.wants(TOPIC))
        for number in range(50):
            for name in ("a", "b"):
                publisher.send(Topic("event", name), event(number=number))
        taken = []
        wait_until(lambda: taken.extend(subscriber.take()) or subscriber.counters.received == 100)
        counters = subscriber.counters
        assert taken[-1].body.fields["number"] == 49
        assert counters.skipped + counters.delivered == 100
        assert counters.gaps == 0


def test_every_hands_over_all_in_order_within_its_depth(wait_until):
    with (
        Publisher("n1", bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "event/", policy=EVERY, depth=10) as subscriber,
    ):
        wait_until(lambda: publisher.wants(TOPIC))
        for _ in range(30):
            publisher.send(TOPIC, event())
        # What waits in the socket is not yet in the queue of ten: look until all have been taken in.
        wait_until(lambda: subscriber._drain() or subscriber.counters.received == 30)
        assert [each.origin.seq for each in subscriber.take()] == list(range(20, 30))
        assert (subscriber.counters.skipped, subscriber.counters.delivered) == (20, 10)


def test_a_pause_of_the_reader_is_a_gap_that_is_counted_exactly(wait_until):
    found = []
    with (
        Publisher("n1", link=SMALL_OUT, bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "frame/", policy=EVERY, on_finding=found.append) as subscriber,
    ):
        wait_until(lambda: publisher.wants(CAM))
        for number in range(1_500):
            publisher.send(CAM, frame(number, 256, 256))
        seqs = []
        while (received := subscriber.recv(0.5)) is not None:
            seqs.append(received.origin.seq)
        while seqs[-1] < 1_500:
            publisher.send(CAM, frame(1))
            if (received := subscriber.recv(0.1)) is not None:
                seqs.append(received.origin.seq)
        counters = subscriber.counters
        assert counters.lost > 0
        assert seqs[-1] + 1 == counters.received + counters.lost
        assert counters.lost == sum(finding.lost for finding in found if isinstance(finding, Gap))


def test_restarts_and_duplicates_are_counted_and_told(stranger):
    found = []
    with _Opened(open_subscriber(stranger, policy=EVERY, on_finding=found.append)) as subscriber:
        for session, seq in (("s1", 0), ("s2", 0), ("s1", 1), ("s1", 1)):
            stranger.send_multipart(parts(seq, session))
        assert all(subscriber.recv(10) for _ in range(3))
        assert subscriber.recv(0.2) is None
        assert [type(each) for each in found] == [Restart, Duplicate]
        counters = subscriber.counters
        assert (counters.restarts, counters.duplicates, counters.repeated) == (1, 1, 1)


class _Opened:
    """A subscriber that is open already, for `with`."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber

    def __enter__(self) -> Subscriber:
        return self.subscriber

    def __exit__(self, *_: object) -> None:
        self.subscriber.close()


def test_a_repeat_is_handed_over_once(stranger):
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        for seq in (3, 3, 2, 4):
            stranger.send_multipart(parts(seq))
        assert [subscriber.recv(10).origin.seq for _ in range(2)] == [3, 4]
        assert (subscriber.counters.repeated, subscriber.counters.gaps) == (2, 0)


def test_what_breaks_the_spec_is_counted_by_reason_and_nothing_else_suffers(stranger):
    good = parts(0)
    bad_body = [Topic("event", "n1").encode(), good[1].replace(b"\xa5event", b"\xa5evenx")]
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        for message in (
            [b"event/"],
            [b"event/x", good[1]],
            [good[0], b"\xc1"],
            [good[0], b"x" * 65_537],
            [good[0], good[1], b"", b"", b""],
            bad_body,
            parts(1),
        ):
            stranger.send_multipart(message)
        received = subscriber.recv(10)
        assert received is not None
        assert received.origin.seq == 1
        assert subscriber.counters.refused == {
            "wrong_part_count": 2,
            "bad_topic": 1,
            "bad_msgpack": 1,
            "header_too_large": 1,
            "missing_key": 1,
        }


def test_the_number_of_reasons_is_bounded(monkeypatch):
    monkeypatch.setattr(subscriber_module, "REASONS_MAX", 2)
    subscriber = Subscriber(ANY, "event/")
    for reason in "abca":
        subscriber._refuse(reason)
    assert subscriber.counters.refused == {"a": 2, "b": 1}


def test_a_timeout_of_0_takes_what_is_there_and_does_not_wait(stranger):
    with _Opened(open_subscriber(stranger)) as subscriber:
        assert subscriber.recv(0) is None
        stranger.send_multipart(parts(0))
        wait_for_arrival(subscriber)
        assert subscriber.recv(0) is not None
        assert subscriber.recv(0) is None


@pytest.mark.parametrize("timeout_s", [0.0, 0.05])
def test_a_flood_of_what_is_refused_does_not_hold_the_caller(monkeypatch, timeout_s):
    """The deadline holds although there is always something to read."""
    subscriber = Subscriber(ANY, "event/")
    rounds = []

    class Endless:
        def poll(self, timeout_ms):
            return 1

        def recv(self, flags, copy):
            return zmq.Frame(b"nonsense")

    monkeypatch.setattr(Subscriber, "socket", property(lambda self: rounds.append(1) or Endless()))
    began_s = time.monotonic()
    assert subscriber.recv(timeout_s) is None
    assert time.monotonic() - began_s >= timeout_s
    assert subscriber.counters.refused["wrong_part_count"] > 0


def test_every_message_is_handed_over_whether_it_waits_here_or_in_the_socket(stranger, monkeypatch):
    monkeypatch.setattr(subscriber_module, "DRAIN_EACH_S", 1e9)
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        for seq in range(3):
            stranger.send_multipart(parts(seq))
            wait_for_arrival(subscriber)
        assert [subscriber.recv(10).origin.seq for _ in range(3)] == [0, 1, 2]
        stranger.send_multipart(parts(3))
        assert subscriber.recv(10).origin.seq == 3
        assert subscriber.recv(0) is None


def test_take_is_bounded(stranger):
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        for seq in range(subscriber_module.DRAIN_MAX + 50):
            stranger.send_multipart(parts(seq))
        wait_for_arrival(subscriber)
        taken = 0
        while taken < subscriber_module.DRAIN_MAX + 50:
            batch = len(subscriber.take())
            assert batch <= subscriber_module.DRAIN_MAX
            taken += batch


def test_half_a_message_read_costs_one_message_and_no_more(stranger):
    """What Ctrl-C between two parts of a message leaves behind."""
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        stranger.send_multipart(parts(0))
        stranger.send_multipart(parts(1))
        wait_for_arrival(subscriber)
        subscriber.socket.recv()
        received = subscriber.recv(10)
        assert received is not None
        assert received.origin.seq == 1
        assert subscriber.counters.refused == {"wrong_part_count": 1}


def test_publishers_come_and_go(wait_until):
    with (
        Publisher("n1", bind=[ANY]) as one,
        Publisher("n2", bind=[ANY]) as two,
        Subscriber(one.endpoints, "event/", policy=EVERY) as subscriber,
    ):
        subscriber.connect(two.endpoints[0])
        wait_until(lambda: one.wants(TOPIC) and two.wants(TOPIC))
        one.send(Topic("event", "n1"), event())
        two.send(Topic("event", "n2"), event())
        assert {subscriber.recv(10).origin.node for _ in range(2)} == {"n1", "n2"}
        subscriber.disconnect(two.endpoints[0])
        # The socket lets go of a connection while it is looked at, as it is in any loop.
        wait_until(lambda: not subscriber.take() and not two.wants(TOPIC))
        with pytest.raises(TransportError, match="was not connected to"):
            subscriber.disconnect(two.endpoints[0])
        with pytest.raises(TransportError):
            subscriber.connect("nowhere")


def test_a_prefix_named_twice_is_subscribed_once(stranger):
    with _Opened(open_subscriber(stranger, ["event/", "event/"])):
        assert not stranger.poll(200)


def test_messages_can_be_iterated(stranger):
    with _Opened(open_subscriber(stranger, policy=EVERY)) as subscriber:
        for seq in range(3):
            stranger.send_multipart(parts(seq))
        assert [received.origin.seq for _, received in zip(range(3), subscriber, strict=False)] == [0, 1, 2]


@pytest.mark.parametrize(("endpoint", "topic"), [("nowhere", "event/"), (ANY, "event/"), ("ipc:///x", "ä/")])
def test_what_cannot_be_subscribed_leaves_nothing_open(endpoint, topic):
    subscriber = Subscriber(endpoint, topic)
    with pytest.raises(TransportError):
        subscriber.open()
    with pytest.raises(RuntimeError, match="not open"):
        subscriber.recv(0)


def test_a_policy_that_does_not_exist():
    with pytest.raises(ValueError, match="'latest' or 'every'"):
        Subscriber(ANY, "event/", policy="newest")  # type: ignore[arg-type]
