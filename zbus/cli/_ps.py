"""`zbus ps`"""

from __future__ import annotations

import json
from typing import Any

import click

from zbus.cli._options import json_option
from zbus.nodes import find_supervisors


@click.command()
@json_option
def ps(as_json: bool) -> None:
    """Show the rigs that are up on this machine and the processes of each."""
    rigs = find_supervisors()
    if as_json:
        click.echo(json.dumps({"rigs": rigs}))
        return
    if not rigs:
        click.echo("no rig is up; start one: zbus demo, or zbus up RIG.TOML")
    for rig in rigs:
        click.echo(f"{rig['rig']}  supervisor {rig['pid']}  directory {rig['directory']}")
        for child in rig["children"]:
            click.echo(_line(child))


def _line(child: dict[str, Any]) -> str:
    doing = f"up {child['up_s']:.0f} s" if child["running"] else f"down, again in {child['back_off_s']:.1f} s"
    again = f", restarted {child['restarts']} times ({child['cause']})" if child["restarts"] else ""
    return f"  {child['node']:<18} {child['role']:<10} {child['pid'] or '-':<8} {doing}{again}"
