from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import zmq

from zbus.transport import RELAY_IN, RELAY_SMALL, bind, make_socket
from zbus.wire import Buffer, RelayBye, decode_relay
from zbus_brokers.relay._farewell import say_bye


@pytest.fixture
def router() -> Iterator[zmq.Socket[bytes]]:
    with make_socket(zmq.ROUTER, RELAY_IN) as socket:
        yield socket


def met(router: zmq.Socket[bytes]) -> tuple[zmq.Socket[bytes], bytes]:
    """Somebody at the router, and who that is to it."""
    other = make_socket(zmq.DEALER, RELAY_SMALL)
    other.connect(bind(router, "tcp://127.0.0.1:0"))
    other.send(b"here")
    return other, router.recv_multipart()[0]


def sender(router: zmq.Socket[bytes]) -> Any:
    def send(identity: bytes, parts: list[Buffer]) -> bool:
        router.send_multipart([identity, *parts])
        return True

    return send


def test_it_is_waited_for_until_who_heard_it_has_hung_up(router: zmq.Socket[bytes]) -> None:
    other, identity = met(router)
    heard: list[Any] = []

    def listen() -> None:
        heard.append(decode_relay(other.recv_multipart()))
        other.close(linger=0)

    thread = threading.Thread(target=listen)
    thread.start()
    assert say_bye(router, [identity], sender(router)) == 0
    thread.join()
    assert heard == [RelayBye()]


def test_who_does_not_hang_up_is_not_waited_for_for_ever(router: zmq.Socket[bytes]) -> None:
    other, identity = met(router)
    with other:
        assert say_bye(router, [identity], sender(router)) == 1


def test_nobody_is_waited_for_where_nobody_is(router: zmq.Socket[bytes]) -> None:
    assert say_bye(router, [], sender(router)) == 0
    assert say_bye(router, [b"gone"], lambda identity, parts: False) == 0
