import socket as plain
from collections.abc import Iterator

import pytest
import zmq

from zbus.transport import SMALL_IN, SMALL_OUT, ConnectionMonitor, make_socket


@pytest.fixture
def watched() -> Iterator[zmq.Socket[bytes]]:
    with make_socket(zmq.SUB, SMALL_IN) as socket:
        yield socket


def port_of(socket: zmq.Socket[bytes]) -> int:
    endpoint = socket.getsockopt(zmq.LAST_ENDPOINT)
    assert isinstance(endpoint, bytes)
    return int(endpoint.rstrip(b"\0").rsplit(b":", 1)[1])


def test_connections_are_counted(watched: zmq.Socket[bytes], wait_until):
    with ConnectionMonitor(watched) as monitor:
        watched.bind("tcp://127.0.0.1:0")
        with make_socket(zmq.PUB, SMALL_OUT) as peer:
            peer.connect(f"tcp://127.0.0.1:{port_of(watched)}")
            wait_until(lambda: monitor.read() or monitor.counters.connected == 1)
        wait_until(lambda: monitor.read() or monitor.counters.disconnected == 1)
        assert monitor.counters.handshakes_failed == 0


def test_what_is_not_zeromq_comes_and_goes(watched: zmq.Socket[bytes], wait_until):
    with ConnectionMonitor(watched) as monitor:
        watched.bind("tcp://127.0.0.1:0")
        with plain.create_connection(("127.0.0.1", port_of(watched))) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
            wait_until(lambda: monitor.read() or monitor.counters.connected == 1)
        wait_until(lambda: monitor.read() or monitor.counters.disconnected == 1)


def test_a_handshake_that_fails_is_counted(watched: zmq.Socket[bytes], wait_until):
    with ConnectionMonitor(watched) as monitor:
        watched.bind("tcp://127.0.0.1:0")
        with plain.create_connection(("127.0.0.1", port_of(watched))) as peer:
            peer.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"PLAIN".ljust(52, b"\0"))
            wait_until(lambda: monitor.read() or monitor.counters.handshakes_failed == 1)


def test_nobody_reading_does_not_stop_the_network(watched: zmq.Socket[bytes]):
    """With a queue of the usual length libzmq would wait here, and with it every socket of the process."""
    with ConnectionMonitor(watched), make_socket(zmq.PULL, SMALL_IN) as other:
        watched.bind("tcp://127.0.0.1:0")
        other.bind("tcp://127.0.0.1:0")
        for _ in range(3_000):
            plain.create_connection(("127.0.0.1", port_of(watched)), timeout=10).close()
        with make_socket(zmq.PUSH, SMALL_OUT) as peer:
            peer.connect(f"tcp://127.0.0.1:{port_of(other)}")
            peer.send(b"x")
            assert other.poll(10_000)


def test_it_can_be_closed_twice_and_opened_again(watched: zmq.Socket[bytes]):
    monitor = ConnectionMonitor(watched)
    monitor.close()
    for _ in range(2):
        with monitor:
            assert monitor.socket.poll(0) == 0
        monitor.close()
