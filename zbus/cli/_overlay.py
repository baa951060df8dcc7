"""`zbus overlay`"""

from __future__ import annotations

from pathlib import Path

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_of, broker_options, read_rig
from zbus.config import OverlayPlan


@click.command()
@click.option(
    "--bind", default=None, metavar="ENDPOINT", help=f"Where the door is.  [default: {OverlayPlan().bind}]"
)
@click.option("--insecure", is_flag=True, help="Let other machines in, though nothing is locked.")
@broker_options
def overlay(
    bind: str | None,
    insecure: bool,
    rig_path: Path | None,
    directory: str | None,
    publish: str | None,
    subscribe: str | None,
) -> None:
    """Run the overlay node: anyone's drawings in, as JSON or msgpack, the live set of each camera out."""
    from zbus.nodes import run_overlay

    rig = read_rig(rig_path)
    planned = rig.overlay or OverlayPlan()
    plan = OverlayPlan(bind=bind or planned.bind, insecure=insecure or planned.insecure)
    broker = broker_of(rig, directory=directory, publish=publish, subscribe=subscribe)
    run_node(lambda reactor: run_overlay(plan, broker, reactor))
