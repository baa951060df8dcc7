from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq
from running_edge import RunningEdge, edge_of

from zbus.transport import DOOR, make_socket


@pytest.fixture
def door(free_endpoint) -> Iterator[zmq.Socket[bytes]]:
    """The overlay node's own door."""
    with make_socket(zmq.PULL, DOOR) as socket:
        socket.bind(free_endpoint())
        yield socket


@pytest.fixture
def edge(broker, tmp_path, door) -> Iterator[RunningEdge]:
    overlays = door.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    with edge_of(broker, tmp_path, overlays) as running:
        yield running
        assert not running.failures
