"""`zbus ls`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from zbus.cli._find import FIND_S, show_found
from zbus.cli._hosts import describe_clock, in_microseconds, list_hosts
from zbus.cli._numbers import FiniteFloat
from zbus.cli._options import broker_options, json_option
from zbus.cli._text import printable
from zbus.config import BrokerPlan, Rig
from zbus.transport import Requester, key_of

TIMEOUT_S = 3.0


@click.command()
@broker_options
@click.option(
    "--find",
    "find_s",
    type=FiniteFloat(min=0.1, max=60.0),
    is_flag=False,
    flag_value=FIND_S,
    metavar="[SECONDS]",
    help=f"Listen for rigs that tell of themselves, instead of asking one.  [default: {FIND_S:g}]",
)
@json_option
def ls(rig: Rig, broker: BrokerPlan, find_s: float | None, as_json: bool) -> None:
    """List the hosts and nodes on the bus, what they publish, how often, and where.

    With --find: list the rigs that can be reached from here, whether or not their addresses are known.
    """
    if find_s is not None:
        show_found(find_s, as_json)
        return
    with Requester(broker.directory, key=key_of(broker)) as requester:
        listing = requester.request("nodes", timeout_s=TIMEOUT_S)
        endpoints = requester.request("endpoints", timeout_s=TIMEOUT_S)
        hosts = list_hosts(requester, broker, listing["nodes"])
    if as_json:
        told = [{**host, "clock": in_microseconds(host["clock"])} for host in hosts]
        click.echo(json.dumps({**listing, "endpoints": dict(endpoints), "hosts": told}))
        return
    _say("  ".join(f"{name} {endpoint}" for name, endpoint in endpoints.items()))
    if not listing["nodes"]:
        _say("nobody is on the bus yet; start a camera: zbus camera sim")
    for host in hosts:
        _show_host(host, listing["nodes"])
    if listing.get("left_out"):
        _say(f"and {listing['left_out']} more, which one answer has no room for")


def _show_host(host: Mapping[str, Any], nodes: list[dict[str, Any]]) -> None:
    _say("")
    _say(f"{host['host']}  {'this host, clock 0' if host['here'] else describe_clock(host['clock'])}")
    for node in nodes:
        if node["host"] == host["host"]:
            _show(node)


def _show(node: dict[str, Any]) -> None:
    twice = "  TWICE on the bus: give one another name" if node["duplicate"] else ""
    _say(f"  {node['node']:<20} {node['role']:<10} pid {node['pid']}{twice}")
    rates = node.get("rates", {})
    for topic in node["publishes"]:
        rate = f"{rates[topic]:>9.1f} Hz" if topic in rates else ""
        _say(f"    {topic:<34}{rate}".rstrip())
    for endpoint in node["endpoints"]:
        _say(f"      at {endpoint}")


def _say(line: str) -> None:
    # Why: every node tells of itself what it likes.
    click.echo(printable(line))
