"""`zbus track`"""

from __future__ import annotations

import click

from zbus.cli._node import run_node
from zbus.cli._numbers import WholeNumber
from zbus.cli._options import Flags, broker_options, parse_assignments
from zbus.config import BrokerPlan, Rig, TrackerPlan, find_tracker
from zbus.plugins import plugin_names


@click.command()
@click.option("--id", "node", default="", help="The tracker's node id.  [default: CAMERA-tracks]")
@click.option("--camera", default="", help="The camera whose frames to track.")
@click.option("--tracker", default="blob", show_default=True, help="A tracker plug-in.")
@click.option("--animals", type=WholeNumber(), default=None, help="How many animals there are.")
@click.option(
    "--detector", default=None, help=f"A detector plug-in: {', '.join(plugin_names('zbus.detectors'))}."
)
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any other setting; repeatable."
)
@broker_options
def track(
    node: str,
    camera: str,
    tracker: str,
    animals: int | None,
    detector: str | None,
    assignments: tuple[str, ...],
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Run one tracker: `zbus track --camera cam1 --animals 5`, or one of a rig file by --rig and --id."""
    from zbus.nodes import run_tracker

    given = {"animals": animals, "detector": detector}
    settings = {name: value for name, value in given.items() if value is not None} | parse_assignments(
        assignments
    )
    plan = TrackerPlan(camera, tracker, settings) if camera else _plan_of(rig, node)
    name = node or f"{camera}-tracks"
    place = Flags(given) if camera else rig.place
    run_node(lambda reactor: run_tracker(name, plan, broker, reactor, place))


def _plan_of(rig: Rig, node: str) -> TrackerPlan:
    if not rig.trackers or not node:
        raise click.UsageError("name a --camera, or a rig file and the tracker's --id in it")
    return find_tracker(rig, node)
