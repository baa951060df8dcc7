from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from zbus.errors import AddressInUse, ExposedAddress, TransportError
from zbus.transport import SMALL_OUT, bind, check_endpoint, is_exposed, make_socket
from zbus.transport._endpoints import connect, disconnect


@pytest.fixture
def socket() -> Iterator[zmq.Socket[bytes]]:
    with make_socket(zmq.PUB, SMALL_OUT) as socket:
        yield socket


@pytest.fixture
def other() -> Iterator[zmq.Socket[bytes]]:
    with make_socket(zmq.PUB, SMALL_OUT) as socket:
        yield socket


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:5550", "tcp://*:0", "tcp://[::1]:*", "ipc:///run/x", "inproc://a"]
)
def test_endpoints(endpoint: str):
    assert check_endpoint(endpoint) == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "5550",
        "127.0.0.1:5550",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:55x",
        "tcp://host:1:2",
        "tcp://a b:1",
        "udp://127.0.0.1:1",
        "pgm://127.0.0.1:1",
        "ipc://",
        "ipc:///run/\0x",
        "tcp://127.0.0.1:5550\n",
    ],
)
def test_what_is_no_endpoint_is_refused_with_an_example(endpoint: str, socket: zmq.Socket[bytes]):
    for use in (check_endpoint, lambda each: bind(socket, each), lambda each: connect(socket, each)):
        with pytest.raises(TransportError, match="not an endpoint") as refused:
            use(endpoint)
        assert "tcp://" in refused.value.next_step


@pytest.mark.parametrize(
    ("endpoint", "exposed"),
    [
        ("tcp://127.0.0.1:1", False),
        ("tcp://127.9.9.9:1", False),
        ("tcp://localhost:1", False),
        ("tcp://[::1]:1", False),
        ("ipc:///run/x", False),
        ("inproc://x", False),
        ("tcp://*:1", True),
        ("tcp://0.0.0.0:1", True),
        ("tcp://[::]:1", True),
        ("tcp://192.168.1.5:1", True),
        ("tcp://127.0.0.1.example.org:1", True),
        ("tcp://eth0:1", True),
    ],
)
def test_what_other_machines_could_reach(endpoint: str, exposed: bool):
    assert is_exposed(endpoint) is exposed


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:0", "tcp://*:*", "tcp://[::]:0"])
def test_an_exposed_bind_is_refused_unless_said_loudly(endpoint: str, socket: zmq.Socket[bytes]):
    with pytest.raises(ExposedAddress) as refused:
        bind(socket, endpoint)
    step = refused.value.next_step
    assert step.index("zbus keys new") < step.index("zbus broker --bind") < step.index("--insecure")
    assert bind(socket, endpoint, insecure=True)


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "tcp://localhost:0", "tcp://127.0.0.1:*"])
def test_port_0_takes_any_and_tells_which(endpoint: str, socket: zmq.Socket[bytes]):
    taken = bind(socket, endpoint)
    assert taken.startswith("tcp://127.0.0.1:")
    assert int(taken.rsplit(":", 1)[1]) > 0


def test_a_port_that_is_taken_is_an_error_with_a_way_out(socket: zmq.Socket[bytes], other: zmq.Socket[bytes]):
    taken = bind(socket, "tcp://127.0.0.1:0")
    with pytest.raises(AddressInUse) as refused:
        bind(other, taken)
    assert refused.value.endpoint == taken
    assert taken.rsplit(":", 1)[1] in refused.value.next_step


def test_an_address_that_is_not_here(socket: zmq.Socket[bytes]):
    with pytest.raises(TransportError, match="no such address"):
        bind(socket, "tcp://192.0.2.1:0", insecure=True)


def test_an_ipc_path_in_use_is_not_stolen(
    tmp_path: Path, socket: zmq.Socket[bytes], other: zmq.Socket[bytes]
):
    endpoint = f"ipc://{tmp_path / 'x'}"
    assert bind(socket, endpoint) == endpoint
    with pytest.raises(AddressInUse):
        bind(other, endpoint)


def test_an_ipc_file_that_nobody_serves_is_free(tmp_path: Path, socket: zmq.Socket[bytes]):
    import socket as plain

    path = tmp_path / "x"
    with plain.socket(plain.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    assert path.exists()
    assert bind(socket, f"ipc://{path}") == f"ipc://{path}"


def test_an_ipc_path_may_end_like_a_port(tmp_path: Path, socket: zmq.Socket[bytes]):
    assert bind(socket, f"ipc://{tmp_path}/x:0") == f"ipc://{tmp_path}/x:0"


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:*", "tcp://127.0.0.1:0"])
def test_one_cannot_connect_to_any_port(endpoint: str, socket: zmq.Socket[bytes]):
    with pytest.raises(TransportError, match="cannot be connected to"):
        connect(socket, endpoint)


def test_disconnecting_takes_the_name_as_it_was_given(
    socket: zmq.Socket[bytes], free_endpoint: Callable[[], str]
):
    endpoint = free_endpoint().replace("127.0.0.1", "localhost")
    connect(socket, endpoint)
    disconnect(socket, endpoint)
    with pytest.raises(TransportError, match="was not connected to"):
        disconnect(socket, endpoint)


def test_a_bound_socket_takes_no_old_zeromq_and_everybody_else(
    socket: zmq.Socket[bytes], free_endpoint: Callable[[], str]
):
    """What it refuses is tested with the bytes themselves, in tests/faults/test_security_wire.py."""
    bind(socket, free_endpoint())
    assert socket.getsockopt(zmq.ZAP_DOMAIN)
    assert not socket.getsockopt(zmq.ZAP_ENFORCE_DOMAIN)
