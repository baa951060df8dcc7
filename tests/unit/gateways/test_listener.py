from __future__ import annotations

import socket

import pytest

from zbus.errors import AddressInUse, ExposedAddress, TransportError
from zbus.gateways import GatewaySettings
from zbus.gateways._listener import allowed_hosts, open_listener, url_of


def test_port_0_takes_a_free_one() -> None:
    with open_listener(GatewaySettings(bind="127.0.0.1:0")) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert url_of(listener) == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_told_by_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(AddressInUse, match=bind) as caught:
            open_listener(GatewaySettings(bind=bind))
    assert "another port" in caught.value.next_step


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "somewhere.lab:0"])
def test_beyond_loopback_is_refused_unless_insecure(bind: str) -> None:
    with pytest.raises(ExposedAddress, match="nothing locks it") as caught:
        open_listener(GatewaySettings(bind=bind))
    step = caught.value.next_step
    assert step.index("zbus keys new") < step.index("--insecure")


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    with pytest.raises(TransportError, match=r"192\.0\.2\.1"):
        open_listener(GatewaySettings(bind="192.0.2.1:0", insecure=True))


def test_the_hosts_are_exact_and_have_the_port() -> None:
    settings = GatewaySettings(bind="127.0.0.1:0", hosts=("Arena.lab",))
    with open_listener(settings) as listener:
        port = listener.getsockname()[1]
        hosts = allowed_hosts(settings, listener)
    assert hosts == {f"{name}:{port}" for name in ("127.0.0.1", "[::1]", "localhost", "arena.lab")}


def test_an_exposed_gateway_also_has_its_machines_name() -> None:
    settings = GatewaySettings(bind="0.0.0.0:0", insecure=True)
    with open_listener(settings) as listener:
        port = listener.getsockname()[1]
        assert f"{socket.gethostname().lower()}:{port}" in allowed_hosts(settings, listener)
        assert url_of(listener) == f"http://127.0.0.1:{port}"
