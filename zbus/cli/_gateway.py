"""`zbus gateway`"""

from __future__ import annotations

from pathlib import Path

import click

from zbus.cli._options import broker_of, broker_options, read_rig
from zbus.config import GatewayPlan
from zbus.gateways import GatewaySettings, run_gateway
from zbus.nodes import end_with_supervisor


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
    settings = GatewaySettings(
        bind=bind or planned.bind,
        directory=broker.directory,
        subscribe=broker.subscribe,
        insecure=insecure or planned.insecure,
        title=rig.name,
    )
    end_with_supervisor()
    run_gateway(settings)
