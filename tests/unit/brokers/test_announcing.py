import time

import pytest

from zbus.config import BrokerPlan
from zbus.errors import ConfigError
from zbus.transport import BeaconListener, Reactor
from zbus.transport import _zeroconf as zeroconf_module
from zbus_brokers import _announcing as announcing
from zbus_brokers._announcing import Announced, Announcer, reachable_at

DEADLINE_S = 20.0


@pytest.mark.parametrize(
    ("endpoint", "address", "told"),
    [
        ("tcp://127.0.0.1:5550", "127.0.0.1", "tcp://127.0.0.1:5550"),
        ("tcp://127.0.0.1:5550", "10.0.0.1", ""),
        ("tcp://localhost:5550", "127.0.0.1", "tcp://127.0.0.1:5550"),
        ("ipc:///run/x", "127.0.0.1", "ipc:///run/x"),
        ("ipc:///run/x", "10.0.0.1/24", ""),
        ("tcp://0.0.0.0:5550", "10.0.0.1/24", "tcp://10.0.0.1:5550"),
        ("tcp://*:5550", "127.0.0.1", "tcp://127.0.0.1:5550"),
        ("tcp://10.0.0.1:5550", "10.0.0.1", "tcp://10.0.0.1:5550"),
        ("tcp://10.0.0.1:5550", "10.0.0.2", ""),
        ("tcp://10.0.0.1:5550", "127.0.0.1", ""),
        ("", "127.0.0.1", ""),
    ],
)
def test_a_network_is_told_what_can_be_reached_from_it(endpoint, address, told):
    assert reachable_at(endpoint, address) == told


def hear(listener, reactor, session):
    """The rig of this session, once it was heard; others on this machine may be heard too."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < deadline_s, "the rig was not heard"
        reactor.run_once(0.01)
        listener.read()
        for rig in listener.rigs.listing(time.monotonic_ns()):
            if rig.beacon.session == session:
                return rig.beacon


def announcer(reactor, session, announced=Announced("arena", "tcp://127.0.0.1:7"), **plan):  # noqa: B008
    return Announcer(BrokerPlan(host="rig1", **plan), announced, session, reactor)


def test_this_host_hears_of_a_rig_on_loopback():
    with Reactor() as reactor, BeaconListener() as listener, announcer(reactor, "test-hears") as sender:
        beacon = hear(listener, reactor, "test-hears")
        assert (beacon.rig, beacon.host, beacon.directory) == ("arena", "rig1", "tcp://127.0.0.1:7")
        assert (beacon.edge, beacon.server_key) == ("", "")
        assert sender.counters["beacons_sent"] >= 1
        assert sender.counters["beacons_failed"] == 0
        sent = sender.counters["beacons_sent"]
        while sender.counters["beacons_sent"] == sent:
            reactor.run_once(2.0)


def test_an_edge_is_told_with_its_key_where_it_can_be_reached():
    announced = Announced("arena", "tcp://127.0.0.1:7", edge="tcp://0.0.0.0:8", server_key="k" * 40)
    with Reactor() as reactor, BeaconListener() as listener, announcer(reactor, "test-edge", announced):
        beacon = hear(listener, reactor, "test-edge")
        assert (beacon.edge, beacon.server_key) == ("tcp://127.0.0.1:8", "k" * 40)


@pytest.mark.parametrize(
    ("address", "warning"),
    [
        ("198.51.100.7", "nothing of this rig can be reached there"),
        ("198.51.100.7/24", "nothing of this rig can be reached there"),
    ],
)
def test_a_network_from_which_nothing_can_be_reached_is_told_nothing(address, warning, caplog):
    with Reactor() as reactor, announcer(reactor, "s", beacon=(address,)) as sender:
        reactor.run_once(0.01)
        assert sender.counters == {"beacons_sent": 0, "beacons_failed": 0}
    assert warning in caplog.text
    assert len(caplog.records) == 1


def test_an_address_that_this_machine_has_not_is_one_warning_and_the_rest_is_told(caplog):
    announced = Announced("arena", "tcp://0.0.0.0:7")
    addresses = ("198.51.100.7", "127.0.0.1")
    with (
        Reactor() as reactor,
        BeaconListener() as listener,
        announcer(reactor, "test-rest", announced, beacon=addresses),
    ):
        assert hear(listener, reactor, "test-rest").directory == "tcp://127.0.0.1:7"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "has no interface with the address 198.51.100.7" in caplog.text


def test_what_no_beacon_can_say_is_one_warning(caplog):
    with Reactor() as reactor, announcer(reactor, "s", Announced("arena", "ipc:///a path")) as sender:
        reactor.run_once(0.01)
        assert sender.counters["beacons_sent"] == 0
    assert "bad_endpoint" in caplog.text


def test_nobody_is_told_where_nobody_shall_be(caplog):
    with Reactor() as reactor, announcer(reactor, "s", beacon=()) as sender:
        reactor.run_once(0.01)
        assert sender.counters["beacons_sent"] == 0
    assert not caplog.records


def test_zeroconf_without_its_library_is_an_error_that_names_the_extra(monkeypatch):
    def load():
        raise ConfigError("python-zeroconf is not installed", next_step="pip install 'zbus-rig[zeroconf]'")

    monkeypatch.setattr(zeroconf_module, "load_zeroconf", load)
    with Reactor() as reactor, pytest.raises(ConfigError, match="zeroconf"):
        announcer(reactor, "s", zeroconf=True).open()


def test_zeroconf_is_announced_beside_each_beacon(monkeypatch):
    announced = []

    class Spy:
        def __init__(self, beacon, address):
            self.told = (beacon.rig, address)

        def __enter__(self):
            announced.append(self.told)

        def __exit__(self, *_):
            announced.remove(self.told)

    monkeypatch.setattr(announcing, "ZeroconfAnnouncer", Spy)
    with Reactor() as reactor, announcer(reactor, "s", zeroconf=True):
        assert announced == [("arena", "127.0.0.1")]
    assert announced == []
