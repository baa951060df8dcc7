from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from zbus.config import BrokerPlan, GatewayPlan, OverlayPlan, Rig
from zbus.errors import TransportError
from zbus.nodes import _addresses, free_ports, is_answered, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_where_somebody_listens_is_not_free_and_is_answered(taken: int) -> None:
    assert not is_free("127.0.0.1", taken)
    assert not is_free("*", taken)
    assert is_answered(f"127.0.0.1:{taken}", 1.0)
    assert is_answered(f"tcp://127.0.0.1:{taken}", 1.0)


def test_a_port_where_nobody_listens_is_free_and_not_answered() -> None:
    (port,) = free_ports(1)
    assert is_free("127.0.0.1", port)
    assert not is_answered(f"tcp://127.0.0.1:{port}", 1.0)


@pytest.mark.parametrize("address", ["ipc:///tmp/x", "foo", "127.0.0.1:*", "127.0.0.1:99999", ""])
def test_what_is_no_tcp_address_is_not_answered(address: str) -> None:
    assert not is_answered(address, 0.1)


def test_ports_are_different_and_below_those_that_systems_give_away() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(_addresses.FREE_PORTS[0] <= port <= _addresses.FREE_PORTS[1] for port in ports)


def test_a_machine_without_a_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_addresses, "is_free", lambda host, port: False)
    with pytest.raises(TransportError, match="no free ports"):
        free_ports(1)


def test_every_address_that_a_rig_binds_is_looked_at(taken: int) -> None:
    address = f"tcp://127.0.0.1:{taken}"
    free = [f"tcp://127.0.0.1:{port}" for port in free_ports(5)]
    rig = Rig(broker=BrokerPlan(*free[:3]), overlay=OverlayPlan(free[3]), gateway=GatewayPlan(free[4][6:]))
    assert _addresses.taken_addresses(rig) == []
    for other in (
        Rig(broker=BrokerPlan(address, *free[:2])),
        Rig(broker=BrokerPlan(*free[:2], address)),
        Rig(broker=rig.broker, overlay=OverlayPlan(address)),
    ):
        assert _addresses.taken_addresses(other) == [address]
    page = Rig(broker=rig.broker, gateway=GatewayPlan(address[6:]))
    assert _addresses.taken_addresses(page) == [address[6:]]
    anywhere = BrokerPlan("ipc:///tmp/x", "tcp://127.0.0.1:0", "tcp://127.0.0.1:*")
    assert _addresses.taken_addresses(Rig(broker=anywhere)) == []
