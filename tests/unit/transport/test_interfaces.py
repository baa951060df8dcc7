from __future__ import annotations

import socket
import sys

import pytest

from zbus.errors import TransportError
from zbus.transport import find_interface, own_interfaces


def test_loopback_is_one_of_them():
    assert "127.0.0.1/8" in map(str, own_interfaces())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9"])
def test_loopback_is_one_network(address: str):
    assert str(find_interface(address).network.broadcast_address) == "127.255.255.255"


def test_an_address_with_its_network_needs_no_interface():
    assert str(find_interface("10.1.2.3/24").network.broadcast_address) == "10.1.2.255"


def test_every_interface_is_found_by_its_address():
    for interface in own_interfaces():
        assert find_interface(str(interface.ip)) == interface


def test_an_address_that_is_not_here_names_those_that_are():
    with pytest.raises(TransportError, match=r"no interface with the address 198\.51\.100\.77.*127\.0\.0\.1"):
        find_interface("198.51.100.77")


def test_an_interface_without_an_address_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "no-such-one")])
    assert [str(each) for each in own_interfaces()] == ["127.0.0.1/8"]


def test_elsewhere_than_on_linux_loopback_alone_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert [str(each) for each in own_interfaces()] == ["127.0.0.1/8"]
