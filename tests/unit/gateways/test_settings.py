from __future__ import annotations

import subprocess
import sys

import pytest

import zbus.gateways
from zbus.config import read_settings
from zbus.errors import ConfigError
from zbus.gateways import GatewaySettings


def test_the_defaults_stay_on_this_machine() -> None:
    settings = GatewaySettings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.viewers_max == 8
    assert not settings.insecure


def test_an_ipv6_address_stands_in_brackets() -> None:
    settings = GatewaySettings(bind="[::1]:9000")
    assert (settings.host, settings.port) == ("::1", 9000)


@pytest.mark.parametrize(
    "bind", ["8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "a b:80", "::1:80", ""]
)
def test_what_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        GatewaySettings(bind=bind)


@pytest.mark.parametrize(
    "wrong", [{"viewers_max": 0}, {"viewers_max": 65}, {"title": ""}, {"title": "x" * 81}]
)
def test_what_is_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GatewaySettings(**wrong)  # type: ignore[arg-type]


def test_a_rig_file_may_hold_them() -> None:
    settings = read_settings(
        GatewaySettings, {"bind": "localhost:0", "hosts": ["arena.lab"], "title": "Arena"}
    )
    assert settings.hosts == ("arena.lab",)
    with pytest.raises(ConfigError, match="bind"):
        read_settings(GatewaySettings, {"bind": "nowhere"})


def test_the_public_names() -> None:
    assert zbus.gateways.__all__ == ["GatewaySettings", "run_gateway"]


def test_importing_the_package_loads_no_web_server() -> None:
    code = "import sys, zbus.gateways; print([n for n in ('fastapi', 'uvicorn', 'zmq') if n in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "fastapi" not in shown
    assert "uvicorn" not in shown
