"""`zbus gateway`"""

from __future__ import annotations

import click

from zbus.cli._options import Flags, bind_option, broker_options, insecure_option, warn_if_open
from zbus.config import BrokerPlan, GatewayPlan, Rig, read_settings
from zbus.gateways import GatewaySettings, run_gateway


@click.command()
@bind_option(GatewayPlan().bind, "HOST:PORT")
@insecure_option
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
        "key": broker.key,
        "insecure": insecure or planned.insecure,
        "title": rig.name,
        "here": broker.here,
    }
    warn_if_open(settings["insecure"])
    run_gateway(read_settings(GatewaySettings, settings, Flags()))
