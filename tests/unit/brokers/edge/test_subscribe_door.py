import zmq
from running_edge import knock

from zbus.transport import EVERY, Publisher, Subscriber
from zbus.wire import Event, State, Topic

CAMS = [Topic("event", f"cam{n}") for n in (1, 2, 10)]


def state(source):
    return Topic("state", source), State(role="camera", state="running", since_ns=1, host="h", pid=1)


def test_a_wide_subscription_hears_what_the_key_allows(edge, broker, wait_until):
    key = edge.key("one", subscribe=("event/cam1/",))
    heard = []
    with (
        Publisher("p", connect=[broker.publish]) as publisher,
        Subscriber(edge.subscribe, ["", "event/", "event/cam2/"], policy=EVERY, key=key) as subscriber,
        Subscriber(edge.subscribe, "", policy=EVERY, key=edge.key("all", subscribe=("",))) as all_of_it,
    ):
        wait_until(lambda: all(publisher.wants(cam) for cam in CAMS))
        everything = []

        def more():
            for cam in CAMS:
                publisher.send(cam, Event("x", {}))
            heard.extend(r.topic for r in subscriber.take())
            everything.extend(r.topic for r in all_of_it.take())
            return heard.count(CAMS[0]) > 3 and set(CAMS) <= set(everything)

        wait_until(more)
    assert set(heard) == {CAMS[0]}


def test_a_late_joiner_gets_the_last_states(edge, broker, wait_until):
    key = edge.key("all", subscribe=("",))
    with Publisher("cam1", connect=[broker.publish]) as publisher:
        wait_until(lambda: publisher.wants(Topic("state", "cam1")))
        publisher.send(*state("cam1"))
        for _ in range(2):
            with Subscriber(edge.subscribe, "state/cam1/", key=key) as subscriber:
                received = subscriber.recv(20)
                assert received is not None
                assert received.topic.source == "cam1"


def test_what_nobody_wants_any_more_is_taken_back(edge, broker, wait_until):
    key = edge.key("all", subscribe=("",))
    with Publisher("p", connect=[broker.publish]) as publisher:
        for _ in range(2):
            with Subscriber(edge.subscribe, "event/cam1/", key=key):
                wait_until(lambda: publisher.wants(CAMS[0]))
            wait_until(lambda: not publisher.wants(CAMS[0]))


def test_who_sends_what_is_no_subscription_gains_nothing(edge, broker, wait_until):
    """libzmq would give the next one's subscription to it (see the door)."""
    thief = edge.key("thief", subscribe=("event/none/",))
    key = edge.key("all", subscribe=("",))
    with (
        Publisher("p", connect=[broker.publish]) as publisher,
        knock(zmq.XSUB, edge.subscribe, thief) as socket,
        Subscriber(edge.subscribe, "event/cam1/", key=key) as honest,
    ):
        heard = []

        def steal():
            socket.send(b"no subscription")
            socket.send(b"\1event/none/")
            publisher.send(CAMS[0], Event("x", {}))
            if socket.poll(0):
                heard.append(socket.recv_multipart())

        for _ in range(100):
            steal()
        wait_until(lambda: publisher.send(CAMS[0], Event("x", {})) and honest.take())
        assert not heard
        assert not socket.poll(100)


def test_the_ring_is_not_offered(edge, broker, wait_until):
    key = edge.key("all", subscribe=("",))
    with (
        Publisher("p", connect=[broker.publish]) as publisher,
        knock(zmq.SUB, edge.subscribe, key, topics=("frame.ring/cam1/", "event/cam1/")),
    ):
        wait_until(lambda: publisher.wants(CAMS[0]))
        assert not publisher.wants(Topic("frame", "cam1", "ring"))
