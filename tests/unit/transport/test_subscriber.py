import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from zbus.errors import AddressInUse, TransportError
from zbus.transport import (
    EVERY,
    LATEST,
    SMALL_OUT,
    Duplicate,
    Gap,
    Overrun,
    Publisher,
    Restart,
    RingPlan,
    Subscriber,
    make_socket,
)
from zbus.transport import _subscriber as subscriber_module
from zbus.transport._bell import has_bell
from zbus.wire import Origin, Topic, frame_of_image

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

        def setsockopt(self, option, value):
            assert option == zmq.RCVTIMEO

        def getsockopt(self, option):
            return zmq.POLLIN

        def recv(self, flags, copy):
            return zmq.Frame(b"nonsense")

    monkeypatch.setattr(subscriber._own, "get", lambda: rounds.append(1) or Endless())
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


def test_the_newest_is_not_what_stands_first_in_a_full_queue(stranger):
    """Links of frames have short queues: what was sent last waits behind them, and is asked for at once."""
    with _Opened(open_subscriber(stranger, ["event/", "frame/x/"], ring="off")) as subscriber:
        assert stranger.poll(10_000)
        stranger.recv()
        for seq in range(40):
            stranger.send_multipart(parts(seq))
        wait_for_arrival(subscriber)
        while subscriber.recv(10).origin.seq != 39:
            pass
        assert subscriber.counters.delivered < 10
        assert subscriber.counters.skipped == 40 - subscriber.counters.delivered


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


def now_frame(number: int, age_s: float = 0.0, **fields):
    """A frame of this host, captured `age_s` ago."""
    age_ns = round(age_s * 1e9)
    sent = frame(number)
    times = {"captured_ns": time.time_ns() - age_ns, "mono_ns": time.monotonic_ns() - age_ns}
    return replace(sent, **times, **fields)


@pytest.fixture
def camera():
    with Publisher("cam1", link=SMALL_OUT, bind=[ANY], ring=RingPlan(seconds=0.08)) as publisher:
        yield publisher


def settle(camera, subscriber, wait_until, first: int = 0) -> int:
    """Send frames until the pixels come by ring alone, and read them; returns the number of the next."""
    number, seen = first, first - 1

    def read_all() -> bool:
        nonlocal seen
        for received in subscriber.take():
            seen = received.body.frame_number
        return seen == number - 1

    def by_ring() -> bool:
        nonlocal number
        camera.send(CAM, now_frame(number))
        number += 1
        read_all()
        return camera.wants_rendition(NOTICES) and not camera.wants(CAM)

    wait_until(by_ring)
    wait_until(read_all)
    return number


NOTICES, BELL = Topic("frame", "cam1", "ring"), Topic("frame", "cam1", "bell")


@pytest.mark.parametrize("policy", [LATEST, EVERY])
@pytest.mark.parametrize("ring", ["copy", "view"])
def test_one_cameras_pixels_come_by_ring_without_a_gap(camera, wait_until, policy, ring):
    with Subscriber(camera.endpoints, "frame/cam1/", policy=policy, ring=ring) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        next_number = settle(camera, subscriber, wait_until)
        for number in range(next_number, next_number + 20):
            camera.send(CAM, now_frame(number))
            received = subscriber.recv(10)
            assert received is not None
            assert (received.topic, received.body.frame_number) == (CAM, number)
            assert (received.body.image == number % 256).all()
            assert received.body.valid()
            assert (received.body.check is not None) is (ring == "view")
            assert not received.body.image.flags.writeable
        counters = subscriber.counters
        assert (counters.gaps, counters.overruns, counters.stale) == (0, 0, 0)


def settle_at_bell(camera, subscriber, wait_until, first: int = 0) -> int:
    """Send frames until they come by the bell alone; returns the number of the next. None is lost."""
    number = first

    def by_bell() -> bool:
        nonlocal number
        camera.send(CAM, now_frame(number))
        number += 1
        while (received := subscriber.recv(0.02)) is not None:
            seen.append(received.body.frame_number)
        return at_bell(subscriber) and seen[-1] == number - 1 and not camera.wants_rendition(NOTICES)

    seen: list[int] = []
    wait_until(by_bell)
    assert subscriber.counters.lost == subscriber.counters.restarts == subscriber.counters.overruns == 0
    return number


def at_bell(subscriber) -> bool:
    return subscriber._inlet is not None and subscriber._inlet.bell.board is not None


by_bell_here = pytest.mark.skipif(not has_bell(), reason="there are no bells here")


@by_bell_here
@pytest.mark.parametrize("policy", [LATEST, EVERY])
@pytest.mark.parametrize("ring", ["copy", "view"])
def test_who_waits_for_one_camera_is_woken_by_its_bell_and_who_looks_is_not(camera, wait_until, policy, ring):
    """Over to the bell and back again, each frame once."""
    with Subscriber(camera.endpoints, "frame/cam1/", policy=policy, ring=ring) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        first = settle_at_bell(camera, subscriber, wait_until)
        for number in range(first, first + 200):
            camera.send(CAM, now_frame(number))
            received = subscriber.recv(10)
            assert received is not None
            assert (received.topic, received.body.frame_number) == (CAM, number)
            assert (received.body.image == number % 256).all()
        assert not camera.wants_rendition(NOTICES)
        assert camera.wants_rendition(BELL)
        number = first + 200
        assert subscriber.socket
        seen = [number - 1]

        def by_message() -> bool:
            nonlocal number
            camera.send(CAM, now_frame(number))
            number += 1
            wait_until(
                lambda: (
                    seen.extend(each.body.frame_number for each in subscriber.take())
                    or seen[-1] == number - 1
                )
            )
            return (
                not at_bell(subscriber)
                and camera.wants_rendition(NOTICES)
                and not camera.wants_rendition(BELL)
            )

        wait_until(by_message)
        assert seen == list(range(first + 199, number))
        camera.send(CAM, now_frame(number))
        assert subscriber.recv(10).body.frame_number == number
        assert not at_bell(subscriber)
        counters = subscriber.counters
        assert (counters.gaps, counters.overruns, counters.stale) == (0, 0, 0)


@by_bell_here
def test_who_waits_at_a_bell_gives_up_in_time(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/cam1/") as subscriber:
        wait_until(lambda: camera.wants(CAM))
        settle_at_bell(camera, subscriber, wait_until)
        began_s = time.monotonic()
        assert subscriber.recv(0.2) is None
        assert time.monotonic() - began_s >= 0.2
        assert subscriber.recv(0) is None


@by_bell_here
def test_larger_pictures_have_another_bell(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/cam1/", policy=EVERY) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        number = settle_at_bell(camera, subscriber, wait_until)
        former = subscriber._inlet.bell.board
        for _ in range(5):
            sent = frame(number, 128, 96)
            camera.send(CAM, replace(sent, captured_ns=time.time_ns(), mono_ns=time.monotonic_ns()))
            received = subscriber.recv(10)
            assert received.body.frame_number == number
            assert received.body.width == 128
            number += 1
        assert at_bell(subscriber)
        assert subscriber._inlet.bell.board is not former
        assert not camera.wants_rendition(NOTICES)


@by_bell_here
def test_a_camera_that_loses_its_ring_is_read_inline_and_back(wait_until):
    first = Publisher("cam1", link=SMALL_OUT, bind=[ANY], ring=RingPlan(), session="s1")
    first.open()
    endpoint = first.endpoints[0]
    with Subscriber(endpoint, "frame/cam1/", policy=EVERY) as subscriber:
        wait_until(lambda: first.wants(CAM))
        settle_at_bell(first, subscriber, wait_until)
        first.close()
        with open_again(endpoint, wait_until, session="s2") as second:
            numbers: list[int] = []

            def inline() -> bool:
                second.send(CAM, now_frame(len(numbers)))
                if (received := subscriber.recv(0.1)) is not None:
                    numbers.append(received.body.frame_number)
                return bool(numbers) and not at_bell(subscriber)

            wait_until(inline)
            assert subscriber.counters.restarts == 1
        with open_again(endpoint, wait_until, session="s3", ring=RingPlan()) as third:

            def at_bell_again() -> bool:
                third.send(CAM, now_frame(7))
                while subscriber.recv(0.02) is not None:
                    pass
                return at_bell(subscriber)

            wait_until(at_bell_again)


@pytest.mark.parametrize(("topics", "ring"), [("frame/", "copy"), ("frame/cam1/", "off"), ("", "view")])
def test_everything_else_comes_inline(camera, wait_until, topics, ring):
    with Subscriber(camera.endpoints, topics, ring=ring) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        for number in range(3):
            camera.send(CAM, now_frame(number))
            received = subscriber.recv(10)
            assert received is not None
            assert received.body.frame_number == number
            assert not camera.wants_rendition(NOTICES)


def test_a_slow_reader_of_every_frame_counts_what_was_written_over(camera, wait_until):
    """Row 57: the reader is slower than the ring. What it did not get is counted, and told."""
    found = []
    with Subscriber(
        camera.endpoints, "frame/cam1/", policy=EVERY, ring="view", depth=100, on_finding=found.append
    ) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        first = settle(camera, subscriber, wait_until)
        subscriber.take()
        before = subscriber.counters.delivered
        for number in range(first, first + 50):
            camera.send(CAM, now_frame(number))
        wait_until(lambda: subscriber._drain() or subscriber.counters.received >= first + 50)
        numbers = [received.body.frame_number for received in subscriber.take()]
        assert numbers == list(range(first + 50 - len(numbers), first + 50))
        assert len(numbers) == camera.ring_of(CAM).slots
        counters = subscriber.counters
        assert counters.overruns == 50 - (counters.delivered - before)
        assert counters.overruns == sum(isinstance(each, Overrun) for each in found)


def test_copies_of_every_frame_wait_where_nobody_writes(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/cam1/", policy=EVERY, depth=100) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        first = settle(camera, subscriber, wait_until)
        subscriber.take()
        for number in range(first, first + 50):
            camera.send(CAM, now_frame(number))
            wait_until(lambda: subscriber._drain() or subscriber.counters.received > number)  # noqa: B023
        taken = subscriber.take()
        assert [received.body.frame_number for received in taken] == list(range(first, first + 50))
        assert all((each.body.image == each.body.frame_number % 256).all() for each in taken)


@contextmanager
def open_again(endpoint: str, wait_until, **options):
    """A publisher at an endpoint that another one is about to give back."""
    publisher = Publisher("cam1", link=SMALL_OUT, bind=[endpoint], **options)

    def opens() -> bool:
        with suppress(AddressInUse):
            publisher.open()
            return True
        return False

    wait_until(opens)
    with closing(publisher):
        yield publisher


def test_a_camera_that_starts_anew_has_another_ring(wait_until):
    seen = []
    first = Publisher("cam1", link=SMALL_OUT, bind=[ANY], ring=RingPlan(), session="s1")
    first.open()
    endpoint = first.endpoints[0]
    with Subscriber(endpoint, "frame/cam1/", policy=EVERY, on_finding=seen.append) as subscriber:
        wait_until(lambda: first.wants(CAM))
        settle(first, subscriber, wait_until)
        first.close()
        with open_again(endpoint, wait_until, ring=RingPlan(), session="s2") as again:
            wait_until(lambda: again.wants_rendition(NOTICES) or subscriber.take())
            for number in range(5):
                again.send(CAM, now_frame(number))
            received = [subscriber.recv(10) for _ in range(5)]
            assert [each.body.frame_number for each in received] == list(range(5))
            assert [type(each) for each in seen] == [Restart]
            assert not again.wants(CAM)


def test_a_camera_that_has_its_ring_no_longer_is_heard_inline(wait_until):
    first = Publisher("cam1", link=SMALL_OUT, bind=[ANY], ring=RingPlan())
    first.open()
    endpoint = first.endpoints[0]
    with Subscriber(endpoint, "frame/cam1/", policy=EVERY) as subscriber:
        wait_until(lambda: first.wants(CAM))
        settle(first, subscriber, wait_until)
        first.close()
        with open_again(endpoint, wait_until) as again:
            heard = []
            wait_until(lambda: heard.extend(subscriber.take()) or not again.send(CAM, now_frame(1)) or heard)
            assert again.wants(CAM)


def test_a_ring_that_cannot_be_mapped_leaves_the_inline_way_without_a_loss(camera, monkeypatch, wait_until):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("zbus.transport._ring_inlet.RingReader", refuse)
    with Subscriber(camera.endpoints, "frame/cam1/", policy=EVERY, depth=1_000) as subscriber:
        wait_until(lambda: camera.wants(CAM) and camera.wants_rendition(NOTICES))
        for number in range(100):
            camera.send(CAM, now_frame(number))
            received = subscriber.recv(10)
            assert received is not None
            assert received.body.frame_number == number
        wait_until(lambda: not camera.wants_rendition(NOTICES))
        assert subscriber.counters.gaps == 0


def test_pixels_of_two_cameras_and_tracks_beside(wait_until):
    with Publisher("rig", link=SMALL_OUT, bind=[ANY], ring=RingPlan()) as publisher:
        topics = ["frame/cam1/", "frame/cam2/", "event/"]
        with Subscriber(publisher.endpoints, topics, policy=EVERY, depth=100) as subscriber:
            other = Topic("frame", "cam2")
            wait_until(lambda: publisher.wants(CAM) and publisher.wants(other) and publisher.wants(TOPIC))
            for number in range(10):
                publisher.send(CAM, frame(number))
                publisher.send(other, frame(number, 32, 16, "cam2"))
                publisher.send(TOPIC, event())
            taken = []
            wait_until(lambda: taken.extend(subscriber.take()) or len(taken) == 30)
            shapes = {each.body.camera: each.body.image.shape for each in taken if each.topic.kind == "frame"}
            assert shapes == {"cam1": (48, 64), "cam2": (16, 32)}
            assert subscriber.counters.gaps == 0


def test_frames_by_ring_cross_the_forwarder(broker, wait_until):
    with (
        Publisher("cam1", link=SMALL_OUT, connect=[broker.publish], ring=RingPlan()) as publisher,
        Subscriber(broker.subscribe, "frame/cam1/", policy=EVERY) as subscriber,
    ):
        wait_until(lambda: publisher.wants(CAM))
        next_number = settle(publisher, subscriber, wait_until)
        publisher.send(CAM, now_frame(next_number))
        while (received := subscriber.recv(10)).body.frame_number < next_number:
            pass
        assert (received.body.image == next_number % 256).all()
        assert subscriber.counters.gaps == 0


def test_the_newest_is_handed_over_only_while_it_is_fresh(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/cam1/") as subscriber:
        wait_until(lambda: camera.wants(CAM))
        for number, age_s in enumerate((0.0, 5.0, 0.0)):
            camera.send(CAM, now_frame(number, age_s))
            received = subscriber.recv(0.3 if age_s else 10)
            assert (received is None) is bool(age_s)
        assert subscriber.counters.stale == 1


@pytest.mark.parametrize("options", [{"policy": EVERY}, {"lifespan_s": 0}, {"lifespan_s": 3600.0}])
def test_old_frames_are_handed_over_where_that_is_asked_for(camera, wait_until, options):
    with Subscriber(camera.endpoints, "frame/cam1/", **options) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        camera.send(CAM, now_frame(0, 5.0))
        assert subscriber.recv(10) is not None
        assert subscriber.counters.stale == 0


def test_what_a_relay_left_out_on_purpose_is_no_gap(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/", policy=EVERY) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        for seq, thinned in ((0, 0), (5, 4), (8, 1), (10, 7)):
            camera.send(CAM, now_frame(seq, thinned=thinned), origin=Origin("far", "s1", seq, 0))
        assert [subscriber.recv(10).origin.seq for _ in range(4)] == [0, 5, 8, 10]
        assert (subscriber.counters.gaps, subscriber.counters.lost) == (1, 1)


def test_a_use_of_rings_that_does_not_exist():
    with pytest.raises(ValueError, match="'copy', 'view' or 'off'"):
        Subscriber(ANY, "frame/cam1/", ring="borrow")  # type: ignore[arg-type]


def test_copies_come_from_memory_that_is_used_again(camera, wait_until):
    with Subscriber(camera.endpoints, "frame/cam1/", policy=EVERY) as subscriber:
        wait_until(lambda: camera.wants(CAM))
        next_number = settle(camera, subscriber, wait_until)
        subscriber.take()
        places = set()
        for number in range(next_number, next_number + 10):
            camera.send(CAM, now_frame(number))
            received = subscriber.recv(10)
            places.add(received.body.image.ctypes.data)
            del received
        assert len(places) == 1


def test_nothing_is_left_in_shared_memory(camera, wait_until):
    image = camera.loan(CAM, (48, 64))
    path = Path("/dev/shm", camera.ring_of(CAM).name)
    assert path.exists()
    image[:] = 1
    camera.send(CAM, frame_of_image(image, "mono8", camera="cam1", frame_number=0, captured_ns=0, mono_ns=0))
    camera.close()
    assert not path.exists()
