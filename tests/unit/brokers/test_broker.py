import threading
from contextlib import contextmanager

import pytest

from zbus.config import BrokerPlan
from zbus.errors import AddressInUse, RequestRefused
from zbus.transport import (
    EVERY,
    ClockReading,
    ControlLink,
    Publisher,
    Reactor,
    Requester,
    Subscriber,
    read_clocks,
)
from zbus.wire import State, Topic
from zbus_brokers import _host_clock as host_clock_module
from zbus_brokers import run_broker

STATE = Topic("state", "n1")


def test_it_tells_its_endpoints_and_its_state(broker):
    with Requester(broker.directory) as requester, Subscriber(broker.subscribe, "state/") as subscriber:
        assert requester.request("endpoints") == {
            "directory": broker.directory,
            "publish": broker.publish,
            "subscribe": broker.subscribe,
        }
        received = subscriber.recv(10)
        assert received is not None
        assert (received.topic, received.body.role) == (Topic("state", "directory"), "broker")
        assert received.body.details["endpoints"]["publish"] == broker.publish
        assert {"forwarded", "refused", "control_refused", "publishers_connected"} <= set(
            received.body.counters
        )


def test_a_node_that_is_lost_is_told_and_its_state_forgotten(broker, wait_until):
    """The chain of a death: no announcement, an event, and no state for who comes late."""
    link = ControlLink("n1", broker.directory, {})
    announced = {"node": "n1", "role": "camera", "session": "s", "host": "h", "pid": 1}
    with (
        Subscriber(broker.subscribe, "event/directory/", policy=EVERY) as events,
        Publisher("n1", connect=[broker.publish]) as publisher,
        Requester(broker.directory) as requester,
    ):
        with link:
            wait_until(lambda: publisher.wants(STATE) and link.tell("announce", announced))
            publisher.send(STATE, State("camera", "running", 1, "h", 1))
            told = [events.recv(20)]
            wait_until(lambda: _late_joiner_hears(broker, "state/n1/"))
        while told[-1].body.event != "node_lost":
            told.append(events.recv(20))
            assert told[-1] is not None
        assert not _late_joiner_hears(broker, "state/n1/")
        with pytest.raises(RequestRefused, match="no node is called"):
            requester.request("status", target="n1")


def _late_joiner_hears(broker, topic):
    with Subscriber(broker.subscribe, topic) as late:
        return late.recv(0.5) is not None


def test_a_wall_clock_that_is_set_is_told_and_counted(monkeypatch):
    """Of its host, by both clocks; what was heard before the step, and what after it, is one timeline."""
    set_by_ns = [0]

    def read():
        now = read_clocks()
        return ClockReading(now.mono_ns, now.utc_ns + set_by_ns[0], now.boot_ns)

    monkeypatch.setattr(host_clock_module.HostClock.__init__, "__defaults__", (read,))
    topics = ["event/", "state/"]
    with running_broker() as broker, Subscriber(broker["subscribe"], topics, policy=EVERY) as bus:
        while (received := bus.recv(20)) is not None and not isinstance(received.body, State):
            pass
        assert received is not None
        assert received.body.counters["clock_steps"] == 0
        set_by_ns[0] = -3_600_000_000_000
        steps, counted = [], 0
        while not counted:
            received = bus.recv(20)
            assert received is not None
            if isinstance(received.body, State):
                counted = received.body.counters["clock_steps"]
            elif received.body.event == "clock_step":
                steps.append(received.body.fields)
    (step,) = steps
    assert abs(step["step_ns"] + 3_600_000_000_000) < 20_000_000
    assert step["host"] == "rig1"
    assert counted == 1


@contextmanager
def running_broker():
    """A broker in a thread, on a host that is called rig1; its endpoints."""
    told, ready = {}, threading.Event()
    plan = BrokerPlan(*["tcp://127.0.0.1:0"] * 3, host="rig1", beacon=())
    with Reactor() as reactor:
        thread = threading.Thread(
            target=run_broker, args=(plan, reactor, lambda places: (told.update(places), ready.set()))
        )
        thread.start()
        try:
            assert ready.wait(20)
            yield told
        finally:
            reactor.stop()
            thread.join(20)


def test_two_brokers_cannot_have_one_address(broker):
    class Plan:
        insecure, here, beacon, zeroconf = False, "here", (), False
        directory, publish, subscribe = broker.places

    for change in ({}, {"publish": "tcp://127.0.0.1:0"}, {"subscribe": "tcp://127.0.0.1:0"}):
        plan = Plan()
        for name, place in change.items():
            setattr(plan, name, place)
        with Reactor() as reactor, pytest.raises(AddressInUse):
            run_broker(plan, reactor)


def test_it_ends_cleanly_and_leaves_its_loop_usable():
    class Plan:
        insecure, here, beacon, zeroconf = False, "here", (), False
        directory = publish = subscribe = "tcp://127.0.0.1:0"

    places = []
    with Reactor() as reactor:
        run_broker(
            Plan(), reactor, lambda endpoints: places.append(endpoints) or reactor.call_soon(reactor.stop)
        )
        assert len(places) == 1
        reactor.run_once(0)


def test_an_error_in_its_loop_closes_everything():
    class Plan:
        insecure, here, beacon, zeroconf = False, "here", (), False
        directory = publish = subscribe = "tcp://127.0.0.1:0"

    def fail():
        raise KeyboardInterrupt

    before = threading.active_count()
    with Reactor() as reactor, pytest.raises(KeyboardInterrupt):
        run_broker(Plan(), reactor, lambda endpoints: reactor.call_soon(fail) or None)
    assert threading.active_count() <= before + 1
