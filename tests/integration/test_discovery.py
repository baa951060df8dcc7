"""Finding rigs, listing what is on them, and knowing the clocks of other hosts, with real processes."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rig_process import (
    COMMAND,
    DEADLINE_S,
    RunningRig,
    ZbusProcess,
    rig_up,
    run_zbus,
    runtime_folder,
    small_rig,
)

from zbus.transport import EVERY, Requester, Subscriber, measure_clock
from zbus.wire import Event

FIND_S = "4"
MEASUREMENTS = 100
NS_PER_S = 1_000_000_000
# Of a host that was switched on so much earlier than this one.
AHEAD_S = 3_000

# Prints how far the clock of a directory is from that of where it runs, again and again.
_MEASURE = """
import json, sys
from zbus.transport import Requester, measure_clock
with Requester(sys.argv[1]) as requester:
    for _ in range(int(sys.argv[2])):
        estimate = measure_clock(requester)
        print(json.dumps([estimate.offset_ns, estimate.error_ns]), flush=True)
"""


_TWO_HOSTS = """
[rig]
reference = "left"
[hosts.left]
address = "{left}"
[hosts.right]
address = "{right}"
[relay]
insecure = true
[cameras.cam1]
source = "sim"
host = "right"
"""


@pytest.fixture(scope="module")
def rig() -> Iterator[RunningRig]:
    with runtime_folder() as folder, rig_up(small_rig(), folder) as running:
        yield running


def ls(folder: Path, *words: str) -> dict[str, Any]:
    told = run_zbus("ls", *words, "--json", folder=folder)
    assert told.returncode == 0, told.stdout + told.stderr
    return json.loads(told.stdout)


def test_a_rig_that_is_up_is_found_without_its_address(rig: RunningRig) -> None:
    directory = rig.rig.broker.directory
    (found,) = [each for each in ls(rig.folder, "--find", FIND_S)["rigs"] if each["directory"] == directory]
    assert (found["rig"], found["address"], found["edge"]) == (rig.rig.name, "127.0.0.1", "")
    assert "beacon" in found["by"]
    shown = run_zbus("ls", "--find", FIND_S, folder=rig.folder).stdout
    assert f"directory {directory}" in shown


def test_ls_shows_the_host_and_how_often_each_topic_comes(rig: RunningRig) -> None:
    def listing() -> dict[str, Any]:
        return ls(rig.folder, "--rig", str(rig.path))

    def rate(topic: str) -> float:
        rates: dict[str, float] = {}
        for node in listing()["nodes"]:
            rates |= node["rates"]
        return rates.get(topic, 0.0)

    rig.listener.until(lambda: rate("frame/arena/") > 20)
    # Why between wide limits: a machine that is busy may give fewer, and none gives many more.
    assert rate("frame/arena/") < 40
    assert rate("tracks/tracker/") > 5
    assert 0.5 < rate("state/arena/") < 2.0
    (host,) = listing()["hosts"]
    assert (host["here"], host["nodes"], host["clock"]["offset_us"]) == (True, 4, 0)
    shown = run_zbus("ls", "--rig", str(rig.path), folder=rig.folder).stdout
    assert re.search(r"(?m)^\S+  this host, clock 0$", shown)
    assert re.search(r"(?m)^    frame/arena/ +\d+\.\d Hz$", shown)


def test_a_second_publisher_of_one_name_is_told(rig: RunningRig, capsys: pytest.CaptureFixture[str]) -> None:
    """From its announcement to the event; the time is printed, and due within a second."""
    broker = rig.rig.broker
    where = ["--directory", broker.directory, "--publish", broker.publish, "--subscribe", broker.subscribe]
    heard: dict[str, int] = {}
    with (
        Subscriber(broker.subscribe, "event/directory/", policy=EVERY) as events,
        runtime_folder() as other,
        # In a folder of its own, as on another host: in the same one it would not get the name.
        ZbusProcess("camera", *where, "sim", "--id", "arena", folder=other) as second,
    ):
        second.wait_for(lambda: "duplicate_publisher" in take_events(events, "arena", heard))
    assert heard["node_joined"] <= heard["duplicate_publisher"]
    took_ms = (heard["duplicate_publisher"] - heard["node_joined"]) / 1e6
    with capsys.disabled():
        print(
            f"\n  duplicate_publisher came {took_ms:.0f} ms after the second publisher had announced itself"
        )


def take_events(events: Subscriber, node: str, heard: dict[str, int]) -> dict[str, int]:
    """When each event about `node` was published first, as far as they have come."""
    for received in events.take():
        if isinstance(received.body, Event) and received.body.fields.get("node") == node:
            heard.setdefault(received.body.event, received.origin.published_ns)
    return heard


def test_a_rig_that_tells_nobody_runs_all_the_same() -> None:
    with runtime_folder() as folder, broker_at(folder, "--beacon", "none") as directory:
        assert directory not in json.dumps(ls(folder, "--find", "2.5"))
        assert ls(folder, "--directory", directory)["nodes"] == []


def test_a_rig_that_is_announced_by_zeroconf_is_found_by_both_ways() -> None:
    with runtime_folder() as folder, broker_at(folder, "--zeroconf") as directory:
        found: list[dict[str, Any]] = []
        for _ in range(5):
            # Why again: it is announced within a second or two of its start, by rules of the library.
            found = [rig for rig in ls(folder, "--find", FIND_S)["rigs"] if rig["directory"] == directory]
            if found and found[0]["by"] == ["beacon", "zeroconf"]:
                break
        assert [rig["by"] for rig in found] == [["beacon", "zeroconf"]]


def test_a_machine_without_the_wanted_interface_warns_once_and_runs() -> None:
    with runtime_folder() as folder:
        words = ["--beacon", "198.51.100.7", "--beacon", "127.0.0.1"]
        with broker_process(folder, *words) as process:
            directory = process.first_line()["endpoints"]["directory"]
            assert directory in json.dumps(ls(folder, "--find", FIND_S))
            assert process.stderr.count("198.51.100.7") == 1


@contextmanager
def broker_process(folder: Path, *words: str, within: tuple[str, ...] = ()) -> Iterator[ZbusProcess]:
    places = [
        word for name in ("--directory", "--publish", "--subscribe") for word in (name, "tcp://127.0.0.1:0")
    ]
    with ZbusProcess("broker", *places, "--json", *words, folder=folder, within=within) as process:
        yield process


@contextmanager
def broker_at(folder: Path, *words: str, within: tuple[str, ...] = ()) -> Iterator[str]:
    """A broker in a process of its own; its directory."""
    with broker_process(folder, *words, within=within) as process:
        yield process.first_line()["endpoints"]["directory"]


def test_the_clock_of_another_process_of_this_host_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """The true offset is 0. How near to it the estimates come is printed, not asserted."""
    with runtime_folder() as folder, broker_at(folder) as directory, Requester(directory) as requester:
        estimates = [measure_clock(requester) for _ in range(MEASUREMENTS)]
    assert all(abs(estimate.offset_ns) <= estimate.error_ns for estimate in estimates)
    tell(capsys, "loopback, two processes", [estimate.offset_ns for estimate in estimates])


def test_a_host_that_was_switched_on_earlier_is_that_far_ahead() -> None:
    """In a time namespace: its monotonic clock is ahead of ours, its wall clock is ours."""
    within = time_namespace()
    with runtime_folder() as folder, broker_process(folder, within=within) as process:
        with Requester(process.first_line()["endpoints"]["directory"]) as asked:
            estimate = measure_clock(asked)
        # Why those: who waits for its forked child, as unshare does, takes no signal meanwhile.
        for child in process.children():
            child.terminate()
        process.process.wait(DEADLINE_S)
    assert abs(estimate.offset_ns - AHEAD_S * NS_PER_S) <= estimate.error_ns


def time_namespace() -> tuple[str, ...]:
    """What stands before a command to run it AHEAD_S later by the monotonic clock."""
    if shutil.which("unshare") is None:
        pytest.skip("no 'unshare' here; Debian has it in util-linux")
    within = ("unshare", "--time", "--monotonic", str(AHEAD_S), "--boottime", str(AHEAD_S))
    tried = subprocess.run([*within, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"time namespaces are refused here: {tried.stderr.strip()}")
    # Why with --fork: a process does not change its own time, its children's.
    return (*within, "--fork", "--kill-child=SIGTERM")


@pytest.mark.fault
@pytest.mark.parametrize("impairment", [{}, {"delay_s": 0.005, "jitter_s": 0.002}], ids=["clean", "5+-2 ms"])
def test_the_clock_of_a_host_behind_a_cable_is_known(
    two_hosts: Any, impairment: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both namespaces have one clock: the true offset is 0. The error is printed, its bound is asserted."""
    with two_hosts() as (left, right, link), exposed_broker(left) as (_, directory):
        link.impair(**impairment)
        count = 50
        run = right.start(sys.executable, "-c", _MEASURE, directory, str(count), stdout=subprocess.PIPE)
        out, _ = run.communicate(timeout=100)
    measured = [json.loads(line) for line in out.splitlines()]
    assert len(measured) == count
    assert all(abs(offset_ns) <= error_ns for offset_ns, error_ns in measured)
    tell(capsys, f"two hosts, {impairment or 'clean'}", [offset_ns for offset_ns, _ in measured])


@pytest.mark.fault
def test_a_rig_is_heard_by_another_host_only_where_it_was_opened(two_hosts: Any) -> None:
    with two_hosts() as (left, right, _):
        with exposed_broker(left, "--beacon", left.address) as (process, directory):
            (found,) = find_from(right)
            assert (found["directory"], found["address"]) == (directory, left.address)
            assert found["host"] == "left"
            assert process.stderr.count("beacon") == 0
        with left.zbus("broker", *places("127.0.0.1"), "--json", "--beacon", left.address) as process:
            process.first_line()
            assert find_from(right) == []
            process.wait_for(lambda: "nothing of this rig can be reached there" in process.stderr)


@pytest.mark.fault
def test_ls_shows_the_hosts_of_a_rig_and_how_far_their_clocks_are(
    two_hosts: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both namespaces have one clock: the true offset is 0."""
    with two_hosts() as (left, right, _):
        path = tmp_path / "rig.toml"
        path.write_text(_TWO_HOSTS.format(left=left.address, right=right.address))
        with (
            left.zbus("up", str(path), "--host", "left"),
            right.zbus("up", str(path), "--host", "right") as up,
        ):
            shown: dict[str, dict[str, Any]] = {}

            def is_known() -> bool:
                told = left.run(*COMMAND, "ls", "--rig", str(path), "--host", "left", "--json", check=False)
                hosts = json.loads(told.stdout).get("hosts", [])
                shown.update({host["host"]: host for host in hosts})
                clock = shown.get("right", {}).get("clock")
                # Why not the first one: it was measured while everything started.
                return clock is not None and clock["error_us"] < 2_000

            up.wait_for(is_known)
    assert (shown["left"]["here"], shown["right"]["here"]) == (True, False)
    assert shown["left"]["clock"]["offset_us"] == 0
    clock = shown["right"]["clock"]
    # Why one more: microseconds are rounded.
    assert abs(clock["offset_us"]) <= clock["error_us"] + 1
    assert abs(clock["utc_offset_us"]) < 1_000_000
    with capsys.disabled():
        print(f"\n  the relay's clock of the other host: {clock}")


def find_from(host: Any) -> list[dict[str, Any]]:
    told = host.run(*COMMAND, "ls", "--find", FIND_S, "--json")
    return json.loads(told.stdout)["rigs"]


def places(address: str) -> list[str]:
    ports = random.sample(range(20_000, 32_000), 3)
    names = ("--directory", "--publish", "--subscribe")
    return [
        word for name, port in zip(names, ports, strict=True) for word in (name, f"tcp://{address}:{port}")
    ]


@contextmanager
def exposed_broker(host: Any, *words: str) -> Iterator[tuple[ZbusProcess, str]]:
    """A broker at the host's address, without a lock, and its directory."""
    where = places(host.address)
    with host.zbus("broker", *where, "--insecure", "--json", *words) as process:
        process.first_line()
        yield process, where[1]


def tell(capsys: pytest.CaptureFixture[str], what: str, offsets_ns: list[int]) -> None:
    errors_us = sorted(abs(offset_ns) / 1e3 for offset_ns in offsets_ns)
    p50, p99 = errors_us[len(errors_us) // 2], errors_us[int(len(errors_us) * 0.99) - 1]
    with capsys.disabled():
        print(
            f"\n  clock offset, {what}: error p50 {p50:.1f} us, p99 {p99:.1f} us, max {errors_us[-1]:.1f} us"
        )
