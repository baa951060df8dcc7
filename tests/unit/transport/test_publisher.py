from pathlib import Path

import pytest
import zmq

from zbus.errors import AddressInUse, ExposedAddress, TransportError, WireError
from zbus.transport import EVERY, FRAMES_OUT, SMALL_IN, Publisher, RingPlan, Subscriber, make_socket
from zbus.transport import _publisher as publisher_module
from zbus.wire import NO_RING, Frame, FrameNotice, Origin, Topic, decode_body, decode_message, frame_of_image

from .messages import CAM, TOPIC, event, frame

ANY = "tcp://127.0.0.1:0"


def test_each_topic_is_numbered_by_itself_in_one_session(wait_until):
    other = Topic("event", "other")
    with (
        Publisher("n1", bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "event/", policy=EVERY) as subscriber,
    ):
        wait_until(lambda: publisher.wants(TOPIC))
        for topic in (TOPIC, TOPIC, other, TOPIC):
            assert publisher.send(topic, event())
        got = [subscriber.recv(10) for _ in range(4)]
        assert [(each.topic, each.origin.seq) for each in got if each] == [
            (TOPIC, 0),
            (TOPIC, 1),
            (other, 0),
            (TOPIC, 2),
        ]
        assert {each.origin.session for each in got if each} == {publisher.session}
        assert publisher.counters.sent == 4
        assert publisher.offered == {str(TOPIC): 3, str(other): 1}
        assert publisher.counters.sent_bytes > 100


def test_it_is_heard_at_all_its_endpoints(tmp_path, wait_until):
    with Publisher("n1", bind=[ANY, ANY], ipc_folder=tmp_path) as publisher:
        assert [endpoint[:3] for endpoint in publisher.endpoints] == ["ipc", "tcp", "tcp"]
        for endpoint in publisher.endpoints:
            with Subscriber(endpoint, "event/") as subscriber:
                wait_until(lambda: publisher.wants(TOPIC))
                publisher.send(TOPIC, event())
                assert subscriber.recv(10)
            wait_until(lambda: not publisher.wants(TOPIC))


def test_it_knows_what_is_wanted(wait_until):
    jpeg = Topic("frame", "cam1", "jpeg")
    with Publisher("n1", bind=[ANY]) as publisher:
        assert not publisher.wants(CAM)
        with Subscriber(publisher.endpoints, ""):
            wait_until(lambda: publisher.wants(CAM))
            assert publisher.wants(jpeg)
            assert not publisher.wants_rendition(jpeg)
            with Subscriber(publisher.endpoints, str(jpeg)):
                wait_until(lambda: publisher.wants_rendition(jpeg))
                assert not publisher.wants_rendition(Topic("frame", "cam2", "jpeg"))
            wait_until(lambda: not publisher.wants_rendition(jpeg))
        wait_until(lambda: not publisher.wants(CAM))


def test_a_body_that_breaks_the_spec_is_not_sent_and_makes_no_gap(wait_until):
    bad = Frame("cam1", 0, 0, 0, 10, 10, "mono8", b"short", stride_bytes=10)
    with (
        Publisher("n1", bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "frame/", policy=EVERY) as subscriber,
    ):
        wait_until(lambda: publisher.wants(CAM))
        publisher.send(CAM, frame(0))
        with pytest.raises(WireError):
            publisher.send(CAM, bad)
        with pytest.raises(WireError):
            publisher.send(TOPIC, frame(1))
        publisher.send(CAM, frame(2))
        assert [subscriber.recv(10) is not None for _ in range(2)] == [True, True]
        assert subscriber.counters.gaps == 0
        assert (publisher.counters.sent, publisher.counters.refused) == (2, 2)


def test_many_subscriptions_of_one_peer_are_in_force_at_the_next_send(wait_until):
    """The queue of what comes in is not the short one of what goes out."""
    topics = [f"frame/cam{each}/" for each in range(300)]
    with (
        Publisher("n1", link=FRAMES_OUT, bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, topics),
    ):
        wait_until(lambda: all(publisher.wants(Topic("frame", f"cam{each}")) for each in range(300)))


def test_half_a_message_costs_one_message_and_no_more(wait_until):
    """What Ctrl-C between two parts of a message leaves behind."""
    with (
        Publisher("n1", bind=[ANY]) as publisher,
        Subscriber(publisher.endpoints, "event/", policy=EVERY) as subscriber,
    ):
        wait_until(lambda: publisher.wants(TOPIC))
        publisher.socket.send(TOPIC.encode(), zmq.SNDMORE)
        for _ in range(3):
            publisher.send(TOPIC, event())
        got = [subscriber.recv(10) for _ in range(2)]
        assert [each.origin.seq for each in got if each] == [1, 2]
        assert sum(subscriber.counters.refused.values()) == 1


def test_the_number_of_topics_is_bounded(monkeypatch):
    monkeypatch.setattr(publisher_module, "TOPICS_MAX", 2)
    with Publisher("n1", bind=[ANY]) as publisher:
        for name in ("a", "b", "a"):
            publisher.send(Topic("event", name), event())
        with pytest.raises(TransportError, match="at most 2 topics"):
            publisher.send(Topic("event", "c"), event())


def test_a_bad_address_leaves_nothing_open(tmp_path):
    for wanted in ({"bind": [ANY, "tcp://0.0.0.0:0"]}, {"bind": [ANY], "connect": ["nowhere"]}):
        publisher = Publisher("n1", ipc_folder=tmp_path, **wanted)
        with pytest.raises((ExposedAddress, TransportError)):
            publisher.open()
        with pytest.raises(RuntimeError, match="not open"):
            publisher.send(TOPIC, event())
        assert not (tmp_path / "n1.ipc").exists()
        Publisher("n1", ipc_folder=tmp_path).close()


def test_a_port_in_use_is_told():
    with Publisher("n1", bind=[ANY]) as one, pytest.raises(AddressInUse):
        Publisher("n2", bind=one.endpoints).open()


def test_it_can_be_opened_again_and_numbers_go_on(wait_until):
    publisher = Publisher("n1", bind=[ANY])
    with publisher:
        publisher.send(TOPIC, event())
    with publisher, Subscriber(publisher.endpoints, "event/") as subscriber:
        assert len(publisher.endpoints) == 1
        wait_until(lambda: publisher.wants(TOPIC))
        publisher.send(TOPIC, event())
        received = subscriber.recv(10)
        assert received is not None
        assert received.origin.seq == 1


def test_a_last_word_leaves_before_the_socket_closes(broker):
    """SMALL_OUT lingers: a `stopped` just before the end must reach the forwarder."""
    with Subscriber(broker.subscribe, "event/n1/") as subscriber:
        heard = None
        while heard is None:
            with Publisher("n1", connect=[broker.publish]) as publisher:
                while not publisher.wants(TOPIC):
                    publisher.socket.poll(1_000)
                publisher.send(TOPIC, event("last"))
            heard = subscriber.recv(10)
        assert heard.body == event("last")


NOTICES = Topic("frame", "cam1", "ring")


@pytest.fixture
def reader():
    """A SUB socket of a stranger."""
    with make_socket(zmq.SUB, SMALL_IN) as socket:
        yield socket


def read(socket, count: int):
    """Topic, seq and body of the next messages."""
    read = []
    for _ in range(count):
        assert socket.poll(10_000)
        message = decode_message(socket.recv_multipart())
        read.append((message.topic, message.origin.seq, decode_body(message)))
    return read


def test_a_ring_is_offered_to_who_names_it_and_pixels_to_who_wants_them(reader, wait_until):
    with Publisher("cam1", bind=[ANY], ring=RingPlan()) as publisher:
        reader.connect(publisher.endpoints[0])
        reader.subscribe(b"frame.ring/cam1/")
        wait_until(lambda: publisher.wants_rendition(NOTICES))
        publisher.send(CAM, frame(0))
        reader.subscribe(b"frame/")
        wait_until(lambda: publisher.wants(CAM))
        publisher.send(CAM, frame(1))
        got = read(reader, 3)
        reader.unsubscribe(b"frame.ring/cam1/")
        wait_until(lambda: not publisher.wants_rendition(NOTICES))
        publisher.send(CAM, frame(2))
        got += read(reader, 1)
        assert [(topic, seq) for topic, seq, _ in got] == [(NOTICES, 0), (NOTICES, 1), (CAM, 1), (CAM, 2)]
        assert isinstance(got[0][2], FrameNotice)
        assert got[3][2] == frame(2)
        assert got[0][2].reference.ring == publisher.ring_of(CAM).name
        assert publisher.counters.sent == 3


def test_without_a_ring_its_subscribers_are_sent_back_to_the_pixels(reader, wait_until):
    with Publisher("cam1", bind=[ANY]) as publisher:
        assert publisher.loan(CAM, (48, 64)) is None
        reader.connect(publisher.endpoints[0])
        reader.subscribe(b"frame.ring/")
        wait_until(lambda: publisher.wants_rendition(NOTICES))
        publisher.send(CAM, frame(0))
        ((_, _, notice),) = read(reader, 1)
        assert notice.reference == NO_RING


def test_a_loaned_picture_goes_inline_as_a_copy(reader, wait_until):
    """What waits in a socket must not become the next picture."""
    with Publisher("cam1", bind=[ANY], ring=RingPlan(seconds=0.01)) as publisher:
        reader.connect(publisher.endpoints[0])
        reader.subscribe(b"frame/")
        wait_until(lambda: publisher.wants(CAM))
        for number in range(20):
            image = publisher.loan(CAM, (400, 400))
            image[:] = number
            publisher.send(CAM, picture(image, number))
            del image
        for number, (_, _, body) in enumerate(read(reader, 20)):
            assert (body.image == number).all()


def picture(image, number: int = 0) -> Frame:
    return frame_of_image(
        image, "mono8", camera="cam1", frame_number=number, captured_ns=number, mono_ns=number
    )


def test_a_loaned_frame_that_breaks_the_spec_is_refused_before_it_is_shown(wait_until):
    with Publisher("cam1", bind=[ANY], ring=RingPlan()) as publisher:
        bad = Frame("cam1", 0, 0, 0, 10, 10, "mono8", publisher.loan(CAM, (5,)).data, stride_bytes=10)
        for _ in range(2):
            with pytest.raises(WireError, match="size_mismatch"):
                publisher.send(CAM, bad)
        assert (publisher.counters.refused, publisher.counters.sent) == (2, 0)


def test_each_camera_has_a_ring_of_its_own_and_closing_removes_them():
    with Publisher("rig", bind=[ANY], ring=RingPlan()) as publisher:
        arrays = [publisher.loan(Topic("frame", name), (10, 10)) for name in ("a", "b")]
        assert all(array is not None for array in arrays)
        names = {publisher.ring_of(Topic("frame", name)).name for name in ("a", "b")}
        assert len(names) == 2
    assert not [name for name in names if Path("/dev/shm", name).exists()]
    assert publisher.loan(Topic("frame", "a"), (10, 10)) is None


def test_a_relay_keeps_the_origin_of_what_it_brings(reader, wait_until):
    origin = Origin("far", "s9", 41, 7)
    with Publisher("relay", bind=[ANY], ring=RingPlan()) as publisher:
        reader.connect(publisher.endpoints[0])
        reader.subscribe(b"frame.ring/cam1/")
        wait_until(lambda: publisher.wants_rendition(NOTICES))
        publisher.send(CAM, frame(0), origin=origin)
        assert reader.poll(10_000)
        assert decode_message(reader.recv_multipart()).origin == origin
