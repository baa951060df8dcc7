"""The hosts of the nodes on a bus, and how far their clocks are from that of this host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from zbus.config import BrokerPlan
from zbus.errors import ZbusError
from zbus.transport import Requester, is_exposed, measure_clock, read_clocks

TIMEOUT_S = 1.0
RELAY = "relay"
CLOCK_KEYS = ("offset_ns", "error_ns", "rtt_ns", "utc_offset_ns")

Clock = dict[str, int]
SAME: Clock = {"offset_ns": 0, "error_ns": 0, "rtt_ns": 0, "utc_offset_ns": 0}


def list_hosts(
    requester: Requester, broker: BrokerPlan, nodes: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each host with the number of its nodes and its clock, the directory's own first; None is not known.

    A clock is how far that host's is ahead of this one's, in nanoseconds, as the keys of spec 6 say.
    """
    home, clock = _home(requester, broker)
    clocks = _clocks_from(requester, home, nodes)
    counts = Counter(str(node["host"]) for node in nodes)
    names = [home, *sorted((set(counts) | set(clocks)) - {home})]
    return [
        {
            "host": name,
            "here": name == home and clock is SAME,
            "nodes": counts[name],
            "clock": clock if name == home else _sum(clock, clocks.get(name)),
        }
        for name in names
    ]


def describe_clock(clock: Mapping[str, int] | None) -> str:
    """A clock for a person."""
    if clock is None:
        return "clock not known"
    told = [f"monotonic clock {_time(clock['offset_ns'])}"]
    if "utc_offset_ns" in clock:
        told.insert(0, f"wall clock {_time(clock['utc_offset_ns'])}")
    return f"{', '.join(told)}, known to {clock['error_ns'] / 1e6:.3f} ms"


def in_microseconds(clock: Mapping[str, int] | None) -> dict[str, int] | None:
    """A clock as JSON can hold it."""
    if clock is None:
        return None
    return {f"{key.removesuffix('_ns')}_us": round(value / 1e3) for key, value in clock.items()}


def _home(requester: Requester, broker: BrokerPlan) -> tuple[str, Clock | None]:
    """The directory's host, and its clock."""
    if not is_exposed(broker.directory):
        return broker.here, SAME
    try:
        name = str(requester.request("clock", timeout_s=TIMEOUT_S).get("host", ""))
        now = read_clocks()
        estimate = measure_clock(requester, timeout_s=TIMEOUT_S)
        return name or broker.directory, estimate.to_map(now.utc_ns - now.mono_ns)
    except ZbusError:
        # Why: an older directory has no such verb, and its list is worth showing all the same.
        return broker.directory, None


def _clocks_from(requester: Requester, home: str, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Clock]:
    """What the relay of the directory's host has measured."""
    found: dict[str, Clock] = {}
    for node in nodes:
        if node["role"] != RELAY or node["host"] != home:
            continue
        try:
            status = requester.request("status", target=str(node["node"]), timeout_s=TIMEOUT_S)
        except ZbusError:
            continue
        hosts = _map(_map(status.get("details")).get("hosts"))
        told = {host: _read(_map(_map(hosts[host]).get("from")).get("clock")) for host in hosts}
        found |= {host: clock for host, clock in told.items() if clock is not None}
    return found


def _read(told: Any) -> Clock | None:
    """A clock as a relay told it, None where it is none."""
    clock = {key: value for key, value in _map(told).items() if key in CLOCK_KEYS and type(value) is int}
    return clock if set(CLOCK_KEYS[:2]) <= set(clock) else None


def _sum(first: Clock | None, second: Clock | None) -> Clock | None:
    """The clock of a host that is known by way of another one."""
    if first is None or second is None:
        return None
    return {key: value + first[key] for key, value in second.items() if key in first}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _time(offset_ns: int) -> str:
    if abs(offset_ns) < 1_000_000_000:
        return f"{offset_ns / 1e6:+.3f} ms"
    return f"{offset_ns / 1e9:+.6f} s"
