"""`zbus gateway`"""

from __future__ import annotations

import click

from zbus.cli._options import broker_options
from zbus.config import BrokerPlan, GatewayPlan, Rig, read_settings
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
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Run the live page: pictures, tracks and overlays in a browser."""
    planned = rig.gateway or GatewayPlan()
    settings = {
        "bind": bind or planned.bind,
        "directory": broker.directory,
        "subscribe": broker.subscribe,
        "insecure": insecure or planned.insecure,
        "title": rig.name,
    }
    end_with_supervisor()
    run_gateway(read_settings(GatewaySettings, settings, prefix="gateway."))
