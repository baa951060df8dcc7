"""`zbus ls`"""

from __future__ import annotations

import json
from typing import Any

import click

from zbus.cli._options import broker_options, json_option
from zbus.config import BrokerPlan, Rig
from zbus.transport import Requester


@click.command()
@broker_options
@json_option
def ls(rig: Rig, broker: BrokerPlan, as_json: bool) -> None:
    """List the nodes on the bus, what they publish, and where."""
    with Requester(broker.directory) as requester:
        nodes = requester.request("nodes", timeout_s=3.0)["nodes"]
        endpoints = requester.request("endpoints", timeout_s=3.0)
    if as_json:
        click.echo(json.dumps({"nodes": nodes, "endpoints": dict(endpoints)}))
        return
    click.echo("  ".join(f"{name} {endpoint}" for name, endpoint in endpoints.items()))
    if not nodes:
        click.echo("nobody is on the bus yet; start a camera: zbus camera sim")
    for node in nodes:
        _show(node)


def _show(node: dict[str, Any]) -> None:
    twice = "  TWICE on the bus: give one another name" if node["duplicate"] else ""
    click.echo(f"{node['node']:<18} {node['role']:<10} {node['host']}:{node['pid']}{twice}")
    for topic in node["publishes"]:
        click.echo(f"  {topic}")
    for endpoint in node["endpoints"]:
        click.echo(f"    at {endpoint}")
