from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zmq

from zbus.config import HostPlan
from zbus.errors import AddressInUse, ExposedAddress, RequestRefused
from zbus.nodes import is_answered
from zbus.transport import (
    RELAY_IN,
    VIEWER,
    KeysFolder,
    Reactor,
    ServerLock,
    bind,
    load_client_key,
    make_socket,
)
from zbus.wire import RelayPing, decode_relay
from zbus_brokers.relay import run_relay
from zbus_brokers.relay._line_out import LineOut

from .conftest import Hosts


def test_it_is_a_node_of_its_host_and_tells_of_each_other_one(
    hosts: Hosts, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    hosts.start_broker("left")
    hosts.start_relay("left")
    wait_until(lambda: "relay.left" in hosts.nodes("left"))
    status = hosts.ask("left", "status", "relay.left")
    assert (status["role"], status["host"], status["state"]) == ("relay", "left", "degraded")
    assert status["cause"] == "not reached: right"
    assert status["details"]["reference"] == "left"
    from_right = status["details"]["hosts"]["right"]["from"]
    assert (from_right["connected"], from_right["clock"]) == (False, {})
    hosts.start_broker("right")
    hosts.start_relay("right")
    wait_until(lambda: hosts.ask("left", "status", "relay.left")["state"] == "running")
    clock = hosts.details("left", "right")["from"]["clock"]
    assert abs(clock["offset_ns"]) <= clock["error_ns"]
    wait_until(lambda: "relay.right" in hosts.nodes("right"))
    with pytest.raises(RequestRefused) as caught:
        hosts.ask("right", "jump", "relay.right")
    assert caught.value.code == "unknown_verb"


def test_it_stops_when_it_is_asked_to(hosts: Hosts, wait_until: Any) -> None:
    hosts.start_broker("left")
    relay = hosts.start_relay("left")
    wait_until(lambda: "relay.left" in hosts.nodes("left"))
    hosts.ask("left", "stop", "relay.left")
    relay.stop()
    assert relay.error is None
    wait_until(lambda: "relay.left" not in hosts.nodes("left"))


def test_a_broker_that_starts_anew_is_told_everything_again(hosts: Hosts, wait_until: Any) -> None:
    hosts.start_broker("left")
    hosts.start_relay("left")
    broker = hosts.start_broker("right")
    hosts.start_relay("right")
    wait_until(lambda: "relay.left" in hosts.nodes("right"))
    broker.stop()
    hosts.start_broker("right")
    wait_until(lambda: {"relay.left", "relay.right"} <= set(hosts.nodes("right")))


def test_an_address_that_is_taken_or_open_to_all_is_refused(hosts: Hosts, wait_until: Any) -> None:
    first = hosts.start_relay("left")
    rig = hosts.rig("left")
    wait_until(lambda: is_answered(rig.hosts["left"].relay_endpoint, 1.0))
    with Reactor() as reactor, pytest.raises(AddressInUse):
        run_relay(rig, rig.broker, reactor)
    exposed = replace(rig, hosts={**rig.hosts, "left": HostPlan("192.0.2.1")})
    with Reactor() as reactor, pytest.raises(ExposedAddress):
        run_relay(exposed, rig.broker, reactor)
    assert first.error is None


def test_only_who_has_the_rigs_own_key_comes_in(hosts: Hosts, wait_until: Any, tmp_path: Path) -> None:
    keys = KeysFolder(tmp_path / "keys")
    keys.make_rig_key()
    laptop = load_client_key(keys.new_client("laptop", VIEWER))
    with ServerLock(keys.folder, rig_only=True) as lock, Reactor() as reactor:
        rig_key = lock.rig_key.towards(lock.rig_key.public)
        got: dict[str, list[Any]] = {"rig": [], "laptop": [], "nobody": []}
        with ExitStack() as stack:
            socket = make_socket(zmq.ROUTER, RELAY_IN)
            stack.callback(socket.close, linger=0)
            endpoint = bind(socket, "tcp://127.0.0.1:0", lock=lock)
            lines = {
                name: stack.enter_context(
                    LineOut(endpoint, partial(ping_of, name), reactor, got[name].append, key)
                )
                for name, key in (("laptop", laptop), ("nobody", None), ("rig", rig_key))
            }
            heard: set[str] = set()

            def turn() -> bool:
                for line in lines.values():
                    line.ping(time.monotonic_ns())
                reactor.run_once(0.01)
                while socket.poll(0):
                    message = decode_relay(socket.recv_multipart()[1:])
                    assert isinstance(message, RelayPing)
                    heard.add(message.host)
                is_told = lines["laptop"].refusal and lines["nobody"].refusal
                return lock.denied > 0 and "rig" in heard and bool(is_told)

            wait_until(turn)
            assert heard == {"rig"}
            assert lines["rig"].refusal is None


def test_hosts_of_which_one_has_no_key_say_so_and_find_each_other_once_that_is_mended(
    hosts: Hosts, wait_until: Any, tmp_path: Path
) -> None:
    KeysFolder(tmp_path / "keys").make_rig_key()
    for host in ("left", "right"):
        hosts.start_broker(host)
    hosts.start_relay("right")
    hosts.keys = tmp_path / "keys"
    locked = hosts.start_relay("left")

    def status(host: str) -> Any:
        return hosts.ask(host, "status", f"relay.{host}")

    for host, other, cause in (("left", "right", "takes no keys"), ("right", "left", "wants a key")):
        wait_until(lambda host=host: f"relay.{host}" in hosts.nodes(host))
        wait_until(lambda host=host, cause=cause: cause in status(host)["cause"])
        assert status(host)["cause"].startswith(f"not let in by {other}: ")
        assert "the same rig.key" in hosts.details(host, other)["from"]["next_step"]
    locked.stop()
    hosts.keys = None
    hosts.start_relay("left")
    wait_until(lambda: status("right")["state"] == "running")
    assert "next_step" not in hosts.details("right", "left")["from"]


def test_another_rigs_key_is_told_as_that_and_the_right_one_comes_in(
    wait_until: Any, reactor: Reactor, tmp_path: Path
) -> None:
    ours, theirs = KeysFolder(tmp_path / "ours"), KeysFolder(tmp_path / "theirs")
    for keys in (ours, theirs):
        keys.make_rig_key()
    with ServerLock(ours.folder, rig_only=True) as lock, make_socket(zmq.ROUTER, RELAY_IN) as socket:
        endpoint = bind(socket, "tcp://127.0.0.1:0", lock=lock)
        wrong, right = (keys.rig_key().towards(keys.rig_key().public) for keys in (theirs, ours))

        def is_there(line: LineOut, condition: Callable[[], object]) -> object:
            line.ping(time.monotonic_ns())
            reactor.run_once(0.01)
            return condition()

        with LineOut(endpoint, partial(ping_of, "right"), reactor, print, wrong) as line:
            wait_until(lambda: is_there(line, lambda: line.refusal))
            assert line.refusal is not None
            assert "not the rig" in line.refusal.cause
            line.reopen()
            assert line.refusal is not None
            assert not socket.poll(0)
        with LineOut(endpoint, partial(ping_of, "right"), reactor, print, right) as line:
            wait_until(lambda: is_there(line, lambda: socket.poll(0)))
            assert line.refusal is None
        socket.close(linger=0)


def ping_of(host: str, sent_ns: int) -> RelayPing:
    return RelayPing("lab", host, "small", "s", sent_ns)
