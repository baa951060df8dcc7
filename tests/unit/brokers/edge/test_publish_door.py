import zmq
from running_edge import knock

from zbus.transport import SMALL_IN, SMALL_OUT, Publisher, Subscriber
from zbus.wire import Event, Topic

T1 = Topic("event", "t1")


def test_what_a_key_may_publish_arrives_and_nothing_else(edge, broker, wait_until):
    key = edge.key("t1", publish=("event/t1/", "frame.ring/", "frame.bell/"))
    topics = ["event/", "frame.ring/", "frame.bell/"]
    with (
        Subscriber(broker.subscribe, topics, policy="every") as subscriber,
        Publisher("t1", link=SMALL_OUT, connect=[edge.publish], key=key) as publisher,
    ):
        wait_until(lambda: publisher.wants(T1))
        for rendition in ("ring", "bell"):
            assert not publisher.wants(Topic("frame", "t1", rendition)), "of no use elsewhere"
        publisher.send(Topic("event", "t2"), Event("forged", {}))
        publisher.send(T1, Event("mine", {}))
        heard = []
        wait_until(lambda: heard.extend(subscriber.take()) or any(r.topic == T1 for r in heard))
    assert [r.topic for r in heard if r.topic.source in ("t1", "t2")] == [T1]


def test_what_is_no_message_is_refused(edge, broker, wait_until):
    key = edge.key("t1", publish=("",))
    assert SMALL_IN
    with (
        Subscriber(broker.subscribe, "event/", policy="every") as subscriber,
        knock(zmq.PUB, edge.publish, key) as socket,
        Publisher("t1", connect=[edge.publish], key=key) as publisher,
    ):
        wait_until(lambda: publisher.wants(T1))
        for parts in ([b"event/t1/"], [b"event/t1", b"x"], [b"event/t1/", b"x" * 70_000]):
            socket.send_multipart(parts)
        publisher.send(T1, Event("mine", {}))
        heard = []
        wait_until(lambda: heard.extend(subscriber.take()) or any(r.topic == T1 for r in heard))
        assert not subscriber.counters.refused
