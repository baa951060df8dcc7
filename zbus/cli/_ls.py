"""`zbus ls`"""

from __future__ import annotations

import json
from typing import Any

import click

from zbus.cli._options import broker_options, json_option
from zbus.cli._text import printable
from zbus.config import BrokerPlan, Rig
from zbus.transport import Requester

TIMEOUT_S = 3.0


@click.command()
@broker_options
@json_option
def ls(rig: Rig, broker: BrokerPlan, as_json: bool) -> None:
    """List the nodes on the bus, what they publish, and where."""
    with Requester(broker.directory) as requester:
        listing = requester.request("nodes", timeout_s=TIMEOUT_S)
        endpoints = requester.request("endpoints", timeout_s=TIMEOUT_S)
    if as_json:
        click.echo(json.dumps({**listing, "endpoints": dict(endpoints)}))
        return
    _say("  ".join(f"{name} {endpoint}" for name, endpoint in endpoints.items()))
    if not listing["nodes"]:
        _say("nobody is on the bus yet; start a camera: zbus camera sim")
    for node in listing["nodes"]:
        _show(node)
    if listing.get("left_out"):
        _say(f"and {listing['left_out']} more, which one answer has no room for")


def _show(node: dict[str, Any]) -> None:
    twice = "  TWICE on the bus: give one another name" if node["duplicate"] else ""
    _say(f"{node['node']:<18} {node['role']:<10} {node['host']}:{node['pid']}{twice}")
    for topic in node["publishes"]:
        _say(f"  {topic}")
    for endpoint in node["endpoints"]:
        _say(f"    at {endpoint}")


def _say(line: str) -> None:
    # Why: every node tells of itself what it likes.
    click.echo(printable(line))
