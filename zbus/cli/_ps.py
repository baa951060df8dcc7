"""`zbus ps`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from zbus.cli._options import json_option
from zbus.cli._text import printable
from zbus.errors import ZbusError
from zbus.nodes import find_supervisors
from zbus.transport import Requester

ASK_TIMEOUT_S = 1.0


@click.command()
@json_option
def ps(as_json: bool) -> None:
    """Show the rigs that are up on this machine, the processes of each, and the nodes of its other hosts."""
    rigs = [status | {"elsewhere": _elsewhere(status)} for status in find_supervisors()]
    if as_json:
        click.echo(json.dumps({"rigs": rigs}))
        return
    if not rigs:
        click.echo("no rig is up; start one: zbus demo, or zbus up RIG.TOML")
    for rig in rigs:
        where = f"  host {rig['host']}" if rig.get("host") else ""
        click.echo(f"{rig['rig']}{where}  supervisor {rig['pid']}  directory {rig['directory']}")
        for child in rig["children"]:
            click.echo(_line(child))
        for node in rig["elsewhere"]:
            # Why: every node tells of itself what it likes.
            click.echo(
                printable(f"  {node['node']:<18} {node['role']:<10} {node['pid']:<8} on {node['host']}")
            )


def _elsewhere(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes of the rig's other hosts, as its directory here knows them; none where it does not answer."""
    if not status.get("host"):
        return []
    try:
        with Requester(status["directory"]) as requester:
            nodes = requester.request("nodes", timeout_s=ASK_TIMEOUT_S)["nodes"]
    except ZbusError:
        # Why without a word: this must work where the broker does not; the line of the broker tells.
        return []
    keys = ("node", "role", "host", "pid", "session")
    return [{key: node[key] for key in keys} for node in nodes if node["host"] != status["host"]]


def _line(child: dict[str, Any]) -> str:
    doing = f"up {child['up_s']:.0f} s" if child["running"] else f"down, again in {child['back_off_s']:.1f} s"
    again = f", restarted {child['restarts']} times ({child['cause']})" if child["restarts"] else ""
    return f"  {child['node']:<18} {child['role']:<10} {child['pid'] or '-':<8} {doing}{again}"
