import pytest
import zmq
from running_edge import edge_of, knock

from zbus.errors import KeyRefused, KeysError, RequestTimeout, TransportError
from zbus.transport import EVERY, Reactor, Requester, Subscriber


def state_of_edge(broker, wait_until, condition):
    with Subscriber(broker.subscribe, "state/edge/", policy=EVERY) as subscriber:
        found = []
        wait_until(lambda: found.extend(r.body for r in subscriber.take()) or any(map(condition, found)))
    return next(filter(condition, found))


def test_a_revoked_key_loses_its_connections_and_the_others_come_again(edge, broker, wait_until):
    gone, stays = edge.key("gone", subscribe=("",)), edge.key("stays", subscribe=("",))
    with (
        Subscriber(edge.subscribe, "state/edge/", policy=EVERY, key=gone) as lost,
        Subscriber(edge.subscribe, "state/edge/", policy=EVERY, key=stays) as kept,
    ):
        wait_until(lost.take)
        wait_until(kept.take)
        edge.keys.revoke("gone")
        state_of_edge(broker, wait_until, lambda state: state.counters["rebuilds"] == 1)
        lost.take()
        wait_until(lambda: len(kept.take()) > 0)
        wait_until(lambda: len(kept.take()) > 0)
        assert not lost.take()
    with pytest.raises(KeyRefused), Requester(edge.control, key=gone) as requester:
        requester.request("nodes", timeout_s=2)
    with Requester(edge.control, key=stays) as requester:
        assert requester.request("nodes")


def test_its_state_tells_who_knocked(edge, broker, wait_until):
    stranger = edge.key("stranger")
    edge.keys.revoke("stranger")
    edge.key("laptop")
    with knock(zmq.SUB, edge.subscribe, stranger):
        state = state_of_edge(broker, wait_until, lambda state: state.counters["auth_denied"] > 0)
    assert state.details["insecure"] is False
    assert state.details["keys"] == ["laptop"]
    assert state.details["endpoints"] == list(edge.plan.places)


def test_without_keys_it_does_not_open(broker, tmp_path):
    from running_edge import free_edge

    from zbus.config import BrokerPlan
    from zbus_brokers.edge import run_edge

    with Reactor() as reactor, pytest.raises(KeysError):
        run_edge(free_edge(), BrokerPlan(), "tcp://127.0.0.1:1", tmp_path, reactor, memory_max_bytes=0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_end_of_the_authenticator_ends_it(broker, tmp_path, wait_until, monkeypatch):
    def fail(self, domain, key):
        raise SystemExit

    with edge_of(broker, tmp_path, "tcp://127.0.0.1:1") as edge:
        key = edge.key("laptop", subscribe=("",))
        monkeypatch.setattr("zbus.transport.ServerLock.callback", fail)
        with pytest.raises((KeyRefused, RequestTimeout)), Requester(edge.control, key=key) as requester:
            requester.request("nodes", timeout_s=0.5)
        wait_until(lambda: edge.failures)
    assert isinstance(edge.failures[0], TransportError)
    assert "nobody checks keys" in str(edge.failures[0])


def test_insecure_lets_everybody_in_and_says_so(broker, tmp_path, wait_until):
    with edge_of(broker, tmp_path, "tcp://127.0.0.1:1", insecure=True) as edge:
        with Requester(edge.control) as requester:
            assert requester.request("nodes", timeout_s=20)
        with Subscriber(edge.subscribe, "state/edge/", policy=EVERY) as subscriber:
            received = subscriber.recv(20)
        assert received is not None
        assert received.body.details["insecure"] is True
