from __future__ import annotations

import errno
import os
import random
import socket
import time
from collections.abc import Callable

import pytest

from zbus.errors import TransportError, WireError
from zbus.transport import BeaconListener, BeaconSender, Reactor, is_on_loopback
from zbus.transport import _beacon as beacon_module
from zbus.wire import BEACON_MAX_BYTES, Beacon

PLAIN = Beacon("arena", "rig1", "9f86d081", 1_000, directory="tcp://127.0.0.1:5550")


@pytest.fixture
def port() -> int:
    return random.randint(20_000, 32_000)


def until(condition: Callable[[], object], read: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not come true"
        read()
        time.sleep(0.005)


def heard(listener: BeaconListener) -> list[Beacon]:
    return [rig.beacon for rig in listener.rigs.listing(time.monotonic_ns())]


def test_everybody_who_listens_on_this_host_hears_a_rig(port: int):
    with (
        BeaconListener(port=port) as first,
        BeaconListener(port=port) as second,
        BeaconSender(PLAIN, port=port) as sender,
    ):
        assert sender.send()
        for listener in (first, second):
            until(lambda listener=listener: heard(listener), listener.read)
            assert heard(listener) == [PLAIN]
            assert listener.rigs.listing(time.monotonic_ns())[0].address == "127.0.0.1"
        assert (sender.sent, sender.failed) == (1, 0)


def test_a_loop_may_watch_a_listener(port: int):
    with (
        Reactor() as reactor,
        BeaconListener(port=port) as listener,
        BeaconSender(PLAIN, port=port) as sender,
    ):
        for each in listener.sockets:
            reactor.watch(each.fileno(), listener.read)
        sender.send()
        until(lambda: heard(listener), lambda: reactor.run_once(0.05))
        for each in listener.sockets:
            reactor.unwatch(each.fileno())


def test_listening_for_a_while_tells_who_was_there(port: int):
    with BeaconListener(port=port) as listener, BeaconSender(PLAIN, port=port) as sender:
        sender.send()
        assert [rig.beacon for rig in listener.listen(0.2)] == [PLAIN]


def test_garbage_is_counted_and_hides_nobody(port: int):
    with (
        BeaconListener(port=port) as listener,
        BeaconSender(PLAIN, port=port) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for data in (b"", b"GET / HTTP/1.1", b"\x00" * (BEACON_MAX_BYTES + 1), os.urandom(8_000)):
            stranger.sendto(data, ("127.255.255.255", port))
        sender.send()
        until(lambda: heard(listener), listener.read)
        assert listener.rigs.refused.total() == 4
        assert listener.rigs.refused["header_too_large"] == 2


def test_what_is_meant_for_this_host_alone_is_no_beacon(port: int):
    with BeaconListener(port=port) as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"x", ("127.0.0.1", port))
        listener.read()
        assert listener.rigs.refused.total() == 0


class Deaf:
    """A socket of a network that nothing can be said to."""

    def sendto(self, data: bytes, place: tuple[str, int]) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    def close(self) -> None:
        return


def test_a_network_that_cannot_be_told_is_said_once_and_counted(caplog: pytest.LogCaptureFixture):
    with BeaconSender(PLAIN) as sender:
        assert sender._socket is not None
        sender._socket.close()
        sender._socket = Deaf()  # pyright: ignore
        assert not any([sender.send(), sender.send(), sender.send()])
    assert (sender.sent, sender.failed) == (0, 3)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "127.255.255.255 cannot be told" in caplog.text


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(TransportError, match="no beacon can be sent from"):
        BeaconSender(PLAIN, "198.51.100.7/24").open()
    with pytest.raises(TransportError, match="beacons cannot be listened for"):
        BeaconListener(["198.51.100.7/24"]).open()
    with pytest.raises(TransportError, match="has no interface"):
        BeaconSender(PLAIN, "198.51.100.7").open()


def test_a_beacon_that_nobody_would_take_is_not_made():
    with pytest.raises(WireError, match="missing_key"):
        BeaconSender(Beacon("arena", "rig1", "s", 1_000))


def test_a_sender_and_a_listener_are_closed_twice_and_opened_again(port: int):
    sender, listener = BeaconSender(PLAIN, port=port), BeaconListener(port=port)
    for _ in range(2):
        sender.open()
        listener.open()
        assert sender.send()
        sender.close()
        sender.close()
        listener.close()
        listener.close()
    with pytest.raises(TransportError, match="not open"):
        sender.send()


def test_only_so_many_datagrams_are_taken_at_once(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beacon_module, "TAKE_MAX", 3)
    with BeaconListener(port=port) as listener, BeaconSender(PLAIN, port=port) as sender:
        for _ in range(5):
            sender.send()
        taken: list[bytes] = []
        monkeypatch.setattr(listener.rigs, "take", lambda data, *_: taken.append(data))
        listener.read()
        assert len(taken) == 3
        listener.read()
        assert len(taken) == 5


@pytest.mark.parametrize(
    ("address", "stays"), [("127.0.0.1", True), ("10.0.0.1/24", False), ("10.0.0.1", False)]
)
def test_loopback_stays_on_this_host(address: str, stays: bool):
    assert is_on_loopback(address) is stays
