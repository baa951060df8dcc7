"""`zbus overlay`"""

from __future__ import annotations

import click

from zbus.cli._node import run_node
from zbus.cli._options import Flags, bind_option, broker_options, insecure_option, warn_if_open
from zbus.config import BrokerPlan, OverlayPlan, Rig, read_settings


@click.command()
@bind_option(OverlayPlan().bind, "ENDPOINT")
@insecure_option
@broker_options
def overlay(
    bind: str | None,
    insecure: bool,
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Run the overlay node: anyone's drawings in, as JSON or msgpack, the live set of each camera out."""
    from zbus.nodes import run_overlay

    planned = rig.overlay or OverlayPlan()
    settings = {"bind": bind or planned.bind, "insecure": insecure or planned.insecure}
    plan = read_settings(OverlayPlan, settings, Flags())
    warn_if_open(plan.insecure)
    run_node(lambda reactor: run_overlay(plan, broker, reactor))
