import os
import threading
from collections.abc import Callable

import pytest
import zmq

from zbus.errors import TransportError
from zbus.transport import SMALL_OUT, Publisher, Subscriber, make_socket, new_session, zeromq_features
from zbus.transport import _context as context

from .messages import TOPIC, event


def test_sessions_are_random_and_short():
    sessions = {new_session() for _ in range(100)}
    assert len(sessions) == 100
    assert {len(session) for session in sessions} == {16}


def test_an_old_libzmq_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(context, "OLDEST_LIBZMQ", (99, 0, 0))
    with pytest.raises(TransportError, match="older than") as refused:
        make_socket(zmq.PUB, SMALL_OUT)
    assert "pip install" in refused.value.next_step


def test_features_are_told():
    version, curve = zeromq_features()
    assert version == zmq.zmq_version()
    assert curve is bool(zmq.has("curve"))


def test_a_forked_child_has_its_own_network_and_leaves_the_parents_alone(
    wait_until: Callable[[Callable[[], object]], None],
):
    with (
        Publisher("n1", bind=["tcp://127.0.0.1:0"]) as publisher,
        Subscriber(publisher.endpoints[0], "event/") as subscriber,
    ):
        wait_until(lambda: publisher.wants(TOPIC))
        child = os.fork()
        if child == 0:
            os._exit(_round_trip())
        assert os.waitpid(child, 0)[1] == 0
        publisher.send(TOPIC, event())
        assert subscriber.recv(10)


def _round_trip() -> int:
    """In the child: 0 where a message went through sockets of its own."""
    with (
        Publisher("n2", bind=["tcp://127.0.0.1:0"]) as publisher,
        Subscriber(publisher.endpoints[0], "event/") as subscriber,
    ):
        for _ in range(2_000):
            publisher.send(TOPIC, event())
            if subscriber.recv(0.01):
                return 0
    return 1


def test_a_socket_is_used_in_its_own_thread_only():
    """libzmq would end the process."""
    errors: list[Exception] = []

    def use(publisher: Publisher) -> None:
        try:
            publisher.send(TOPIC, event())
        except RuntimeError as error:
            errors.append(error)

    with Publisher("n1", bind=["tcp://127.0.0.1:0"]) as publisher:
        thread = threading.Thread(target=use, args=(publisher,))
        thread.start()
        thread.join()
    assert "belongs to the thread that opened it" in str(errors[0])
