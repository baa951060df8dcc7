"""Which door is opened, and that it is closed; the shared door in a whole rig: tests/compat/pymultivideo."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from zbus.compat.pymultivideo import FrontEndSettings
from zbus.compat.pymultivideo._doors import open_door
from zbus.compat.pymultivideo._own_door import OwnDoor
from zbus.compat.pymultivideo._shared_door import SharedDoor
from zbus.config import BrokerPlan, OverlayPlan
from zbus.errors import AddressInUse, ExposedAddress
from zbus.nodes import run_overlay
from zbus.transport import Puller, Reactor, Requester

from .conftest import DEADLINE_S


@pytest.fixture
def plan(broker: Any) -> BrokerPlan:
    return BrokerPlan(broker.directory, broker.publish, broker.subscribe)


@pytest.fixture
def overlay_door(plan: BrokerPlan, runtime: str, free_endpoint: Callable[[], str]) -> Iterator[str]:
    """Where the overlay node of a rig listens."""
    bind = free_endpoint()
    with Reactor() as reactor:
        thread = threading.Thread(target=run_overlay, args=(OverlayPlan(bind), plan, reactor))
        thread.start()
        try:
            yield bind
        finally:
            reactor.stop()
            thread.join(DEADLINE_S)


def settings_at(pull_address: str) -> FrontEndSettings:
    return FrontEndSettings("cam1", pull_address=pull_address)


def is_free(endpoint: str) -> bool:
    """True where one can bind there. A socket that was closed lets go of its address a little later."""
    try:
        with Puller(endpoint):
            return True
    except AddressInUse:
        return False


def test_a_free_address_is_a_door_of_its_own_until_left(
    loop: Reactor, nowhere: BrokerPlan, free_endpoint: Callable[[], str], wait_until: Callable[..., None]
) -> None:
    address = free_endpoint()
    with open_door(settings_at(address), nowhere, loop) as door:
        assert isinstance(door, OwnDoor)
        assert (door.endpoint, door.rig_door) == (address, "")
        assert not is_free(address)
    wait_until(lambda: is_free(address))


def test_an_own_door_is_closed_where_its_user_fails(
    loop: Reactor, nowhere: BrokerPlan, free_endpoint: Callable[[], str], wait_until: Callable[..., None]
) -> None:
    address = free_endpoint()
    with pytest.raises(ZeroDivisionError), open_door(settings_at(address), nowhere, loop):
        raise ZeroDivisionError
    wait_until(lambda: is_free(address))


def test_an_error_of_the_user_is_not_taken_for_a_taken_address(
    loop: Reactor, nowhere: BrokerPlan, free_endpoint: Callable[[], str], wait_until: Callable[..., None]
) -> None:
    address = free_endpoint()
    with (
        pytest.raises(AddressInUse, match="elsewhere"),
        open_door(settings_at(address), nowhere, loop) as door,
    ):
        assert isinstance(door, OwnDoor)
        raise AddressInUse("elsewhere", next_step="ask there")
    wait_until(lambda: is_free(address))


def test_beyond_loopback_no_door_opens_on_its_own(loop: Reactor, nowhere: BrokerPlan) -> None:
    with pytest.raises(ExposedAddress), open_door(settings_at("tcp://0.0.0.0:0"), nowhere, loop):
        pass


def test_the_address_of_the_overlay_node_is_shared_and_given_back(
    loop: Reactor, plan: BrokerPlan, overlay_door: str, turn_until: Callable[..., None]
) -> None:
    turn_until(lambda: "overlay" in nodes_of(plan))
    before = meaning(plan)
    with open_door(settings_at(overlay_door), plan, loop) as door:
        assert isinstance(door, SharedDoor)
        assert door.endpoint == door.rig_door == overlay_door
        door.fit((160, 120))
        assert meaning(plan)["camera"] == "cam1"
        assert door.counters == {"door_configured": 1, "door_failed": 0}
    assert meaning(plan) == before
    assert not is_free(overlay_door)


def test_an_address_that_a_stranger_holds_is_named(
    loop: Reactor, plan: BrokerPlan, overlay_door: str, turn_until: Callable[..., None]
) -> None:
    turn_until(lambda: "overlay" in nodes_of(plan))
    with Puller("tcp://127.0.0.1:0") as stranger:
        with (
            pytest.raises(AddressInUse) as caught,
            open_door(settings_at(stranger.endpoint), plan, loop),
        ):
            pass
        assert caught.value.endpoint == stranger.endpoint


def nodes_of(plan: BrokerPlan) -> set[str]:
    with Requester(plan.directory) as requester:
        return {node["node"] for node in requester.request("nodes")["nodes"]}


def meaning(plan: BrokerPlan) -> dict[str, Any]:
    """What the rig's door takes a message for that names nothing."""
    with Requester(plan.directory) as requester:
        return dict(requester.request("status", target="overlay", timeout_s=DEADLINE_S)["settings"])
