from __future__ import annotations

from dataclasses import replace

import pytest

from zbus.config import (
    BrokerPlan,
    CameraPlan,
    EdgePlan,
    GatewayPlan,
    OverlayPlan,
    Rig,
    TrackerPlan,
    find_camera,
    find_tracker,
)
from zbus.errors import UnknownName


@pytest.mark.parametrize(
    "endpoint",
    ["foo", "", "tcp://127.0.0.1", "127.0.0.1:5550", "tcp://a b:1", "tcp://:x", "tcp://host:65536"],
)
def test_what_is_no_endpoint_is_refused_by_its_name(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"^publish is"):
        BrokerPlan(publish=endpoint)
    with pytest.raises(ValueError, match=r"^bind is"):
        OverlayPlan(endpoint)


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:0", "tcp://*:5550", "tcp://[::1]:1", "ipc:///tmp/a", "tcp://pc:1"]
)
def test_endpoints_are_taken(endpoint: str) -> None:
    assert BrokerPlan(directory=endpoint).directory == endpoint


@pytest.mark.parametrize("bind", ["8080", "tcp://127.0.0.1:8080", "localhost:", "a:b", "a:65536"])
def test_the_page_is_at_a_host_and_a_port(bind: str) -> None:
    with pytest.raises(ValueError, match=r"^bind is"):
        GatewayPlan(bind)


@pytest.mark.parametrize(
    "wrong", [{"jpeg_quality": 0}, {"jpeg_quality": 101}, {"jpeg_hz": 0.0}, {"jpeg_hz": float("nan")}]
)
def test_pictures_for_the_page_have_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        replace(CameraPlan("sim"), **wrong)


def test_plans_are_found_by_name() -> None:
    rig = Rig(cameras={"a": CameraPlan("sim")}, trackers={"b": TrackerPlan("a")})
    assert find_camera(rig, "a").source == "sim"
    assert find_tracker(rig, "b").camera == "a"
    with pytest.raises(UnknownName, match="no camera is called 'b'; there is: a"):
        find_camera(rig, "b")
    with pytest.raises(UnknownName):
        find_tracker(rig, "a")


def test_where_a_rig_was_read_does_not_make_it_another() -> None:
    class Elsewhere:
        def error(self, *args: object, **kwargs: object) -> None: ...

    assert Rig(place=Elsewhere()) == Rig()  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["lab", "", "10.0.0", "10.0.0.1/40", "::1", "tcp://10.0.0.1"])
def test_beacons_are_sent_from_addresses(address: str) -> None:
    with pytest.raises(ValueError, match=r"^beacon has"):
        BrokerPlan(beacon=(address,))
    assert BrokerPlan(beacon=("10.0.0.1", "10.0.0.1/24")).beacon == ("10.0.0.1", "10.0.0.1/24")


@pytest.mark.parametrize(
    "bind", ["", "127.0.0.1:5560", "tcp://h", "tcp://h:0", "tcp://h:*", "tcp://h:65533", "ipc:///x"]
)
def test_an_edge_needs_four_ports_with_numbers(bind: str) -> None:
    with pytest.raises(ValueError, match=r"^bind is"):
        EdgePlan(bind)


def test_a_free_place_for_an_edge_is_one_where_nothing_else_is() -> None:
    taken = {"a": "tcp://127.0.0.1:5552", "b": "tcp://127.0.0.1:5563", "c": "ipc:///x:5560"}
    assert EdgePlan("tcp://0.0.0.0:5550").clash(taken) == ("a", "tcp://0.0.0.0:5570")
    assert EdgePlan("tcp://0.0.0.0:5553").clash(taken) is None
    assert EdgePlan("tcp://10.0.0.1:5550").clash(taken) is None
