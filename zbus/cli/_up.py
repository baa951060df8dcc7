"""`zbus up`"""

from __future__ import annotations

from pathlib import Path

import click

from zbus.cli._check import check_plans, relay_keys
from zbus.cli._edge import check_edge
from zbus.cli._node import run_node
from zbus.cli._options import HOST, keys_folder, warn_if_open
from zbus.config import host_part, load_rig
from zbus.nodes import Supervisor, plan_children
from zbus.transport import Reactor


@click.command()
@click.argument("rig_path", type=click.Path(path_type=Path), metavar="RIG.TOML")
@click.option("--host", **HOST)
def up(rig_path: Path, host: str | None) -> None:
    """Start the rig of a rig file, start again what dies, until Ctrl-C or `zbus down`.

    Of a rig that names hosts it starts the part of one of them: `zbus up rig.toml --host left`.
    """
    rig = host_part(load_rig(rig_path), host, verb=f"zbus up {rig_path}")
    check_plans(rig)
    relay_keys(rig)
    if rig.edge:
        check_edge(rig.edge, keys_folder(None, rig), rig.broker, rig)
        warn_if_open(rig.edge.insecure)

    def run(reactor: Reactor) -> None:
        with Supervisor(rig, plan_children(rig, rig_path.resolve()), reactor) as supervisor:
            where = f" --host {rig.host}" if rig.host else ""
            click.echo(f"{rig.name} is up; Ctrl-C ends it, and so does: zbus down {rig_path}{where}")
            for child in supervisor.children:
                click.echo(f"  {child.plan.node:<16} {child.plan.role:<10} process {child.pid}")
            if rig.gateway:
                click.echo(f"  page: http://{rig.gateway.bind}/")
            reactor.run()

    run_node(run)
    click.echo(f"{rig.name} is down")
