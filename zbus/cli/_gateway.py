"""`zbus gateway`"""

from __future__ import annotations

from pathlib import Path

import click

from zbus.cli._options import broker_of, broker_options, read_rig
from zbus.config import GatewayPlan
from zbus.nodes import end_with_supervisor
from zbus.plugins import load_plugin


@click.command()
@click.option(
    "--bind", default=None, metavar="HOST:PORT", help=f"Where the page is.  [default: {GatewayPlan().bind}]"
)
@click.option("--insecure", is_flag=True, help="Let other machines in, though nothing is locked.")
@broker_options
def gateway(
    bind: str | None,
    insecure: bool,
    rig_path: Path | None,
    directory: str | None,
    publish: str | None,
    subscribe: str | None,
) -> None:
    """Run the live page: pictures, tracks and overlays in a browser."""
    rig = read_rig(rig_path)
    planned = rig.gateway or GatewayPlan()
    broker = broker_of(rig, directory=directory, publish=publish, subscribe=subscribe)
    run_gateway = load_plugin("zbus.gateways", "http")
    end_with_supervisor()
    run_gateway(bind or planned.bind, broker, title=rig.name, insecure=insecure or planned.insecure)
