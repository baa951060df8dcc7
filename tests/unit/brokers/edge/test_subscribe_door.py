import zmq
from running_edge import knock

from zbus.transport import EVERY, EVERYTHING, AllowedKey, Publisher, Reactor, Rights, Subscriber, can_read
from zbus.wire import Event, State, Topic
from zbus_brokers.edge._subscribe_door import SubscribeDoor

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


class ByNotice:
    """Whoever asks for cam1 may have everything, others nothing but `event/none/`."""

    def find(self, part):
        rights = EVERYTHING if part.bytes == b"\1event/cam1/" else Rights(subscribe=("event/none/",))
        return AllowedKey("x", "", rights)

    def refuse(self, guest, what):
        raise AssertionError(what)

    def bar(self, guest):
        self.barred = guest.name


def test_who_sends_what_is_no_subscription_gains_nothing(broker, free_endpoint, wait_until):
    """libzmq would give it the subscription that comes next, of somebody else (see the door)."""
    place, misuses, guests = free_endpoint(), [], ByNotice()
    with Reactor() as reactor, Publisher("p", connect=[broker.publish]) as publisher:
        door = SubscribeDoor(
            place, broker.subscribe, reactor, None, guests, lambda: misuses.append(door.outer.close())
        )
        with door, knock(zmq.XSUB, place, None) as thief, knock(zmq.XSUB, place, None) as honest:

            def send(socket, data):
                """Until libzmq has taken it in at the door, where nobody has read it yet."""
                assert socket.poll(20_000, zmq.POLLOUT)
                socket.send(data)
                for _ in range(20):
                    can_read(door.outer.socket)
                    thief.poll(5)

            for socket, data in (
                (thief, b"no subscription"),
                (honest, b"\1event/cam1/"),
                (thief, b"\1event/none/"),
            ):
                send(socket, data)
            for _ in range(200):
                reactor.run_once(0.01)
                publisher.send(CAMS[0], Event("x", {}))
                assert not thief.poll(0), "it hears what it may not"
        assert len(misuses) == 1
        assert door.counters["misuses"] == 1
        assert guests.barred == "x"


def test_the_ring_is_not_offered(edge, broker, wait_until):
    key = edge.key("all", subscribe=("",))
    with (
        Publisher("p", connect=[broker.publish]) as publisher,
        knock(zmq.SUB, edge.subscribe, key, topics=("frame.ring/cam1/", "frame.bell/cam1/", "event/cam1/")),
    ):
        wait_until(lambda: publisher.wants(CAMS[0]))
        assert not publisher.wants(Topic("frame", "cam1", "ring"))
        assert not publisher.wants(Topic("frame", "cam1", "bell"))
