"""`zbus overlay`"""

from __future__ import annotations

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_options
from zbus.config import BrokerPlan, OverlayPlan, Rig


@click.command()
@click.option(
    "--bind", default=None, metavar="ENDPOINT", help=f"Where the door is.  [default: {OverlayPlan().bind}]"
)
@click.option("--insecure", is_flag=True, help="Let other machines in, though nothing is locked.")
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
    plan = OverlayPlan(bind=bind or planned.bind, insecure=insecure or planned.insecure)
    run_node(lambda reactor: run_overlay(plan, broker, reactor))
