"""`zbus up`"""

from __future__ import annotations

from pathlib import Path

import click

from zbus.cli._check import check_plans
from zbus.cli._node import run_node
from zbus.config import load_rig
from zbus.nodes import Supervisor, plan_children
from zbus.transport import Reactor


@click.command()
@click.argument("rig_path", type=click.Path(path_type=Path), metavar="RIG.TOML")
def up(rig_path: Path) -> None:
    """Start the rig of a rig file, start again what dies, until Ctrl-C or `zbus down`."""
    rig = load_rig(rig_path)
    check_plans(rig)

    def run(reactor: Reactor) -> None:
        with Supervisor(rig, plan_children(rig, rig_path.resolve()), reactor) as supervisor:
            click.echo(f"{rig.name} is up; Ctrl-C ends it, and so does: zbus down {rig_path}")
            for child in supervisor.children:
                click.echo(f"  {child.plan.node:<16} {child.plan.role:<10} process {child.pid}")
            if rig.gateway:
                click.echo(f"  page: http://{rig.gateway.bind}/")
            reactor.run()

    run_node(run)
    click.echo(f"{rig.name} is down")
