"""`zbus edge`, and what `zbus broker --bind` and rig files need of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from zbus.cli._node import run_node
from zbus.cli._options import (
    Flags,
    broker_options,
    insecure_option,
    keys_folder,
    keys_option,
    warn_if_open,
)
from zbus.config import EDGE_PORT, BrokerPlan, EdgePlan, OverlayPlan, Rig, read_settings
from zbus.errors import AddressInUse, ConfigError, ExposedAddress
from zbus.nodes import ChildPlan, plan_edge, taken_places
from zbus.plugins import load_plugin
from zbus.transport import KeysFolder, default_keys_folder


@click.command()
@click.option(
    "--bind",
    default=None,
    metavar="ENDPOINT",
    help=f"Where it listens, four ports in a row, such as tcp://0.0.0.0:{EDGE_PORT}.",
)
@click.option("--overlays", default=None, metavar="ENDPOINT", help="The overlay node's own door.")
@keys_option
@insecure_option
@broker_options
def edge(
    bind: str | None,
    overlays: str | None,
    keys: Path | None,
    insecure: bool,
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Run the locked door for other computers, of a broker that runs on this one.

    At the port of --bind other computers ask and are asked, at the next ones they publish, subscribe and
    draw, each as its key allows. `zbus broker --bind` and `zbus up` start it and start it again when it dies.
    """
    plan = edge_plan(rig, bind, insecure)
    if plan is None:
        raise click.UsageError("say where it listens: --bind tcp://0.0.0.0:5560, or [edge] in a rig file")
    folder = keys_folder(keys, rig)
    check_edge(plan, folder, broker, rig)
    warn_if_open(plan.insecure)
    run_edge = load_plugin("zbus.brokers", "edge")
    door = overlays or (rig.overlay or OverlayPlan()).bind
    run_node(lambda reactor: run_edge(plan, broker, door, folder, reactor))


def edge_plan(rig: Rig, bind: str | None, insecure: bool) -> EdgePlan | None:
    """The edge that a command line or a rig file asks for, if one does. Raises ConfigError."""
    if bind is None and rig.edge is None:
        return None
    own = {"bind": bind or (rig.edge.bind if rig.edge else "")}
    is_insecure = insecure or (rig.edge is not None and rig.edge.insecure)
    return read_settings(EdgePlan, {**own, "insecure": is_insecure}, Flags())


def check_edge(plan: EdgePlan, folder: Path, broker: BrokerPlan, rig: Rig) -> None:
    """Raises ExposedAddress without keys, ConfigError where ports clash, KeysError for unsafe keys."""
    own = {name: getattr(broker, name) for name in ("directory", "publish", "subscribe")}
    clash = plan.clash({**own, "overlay": (rig.overlay or OverlayPlan()).bind})
    if clash:
        cause = f"takes the port of {clash[0]} on this machine: it needs four of its own in a row"
        raise ConfigError(cause, key="--bind", expected=f"a free place such as {clash[1]}")
    if plan.insecure:
        return
    keys = KeysFolder(folder)
    if not keys.has_rig_key:
        chosen = [] if folder == default_keys_folder() else ["--keys", str(folder)]
        command = shlex.join(["zbus", "keys", "new", "NAME", *chosen])
        raise ExposedAddress(
            f"{plan.bind} lets other computers in, and there are no keys in {folder}",
            next_step=f"make keys: {command}; or, if everyone on this network may read and write, --insecure",
        )
    keys.rig_key()
    keys.allowed()


def edge_child(plan: EdgePlan, folder: Path, broker: BrokerPlan, rig: Rig) -> ChildPlan:
    """The process of an edge beside the broker of this one. Raises AddressInUse."""
    taken = taken_places(plan)
    if taken:
        port = taken[0].rpartition(":")[2]
        raise AddressInUse(
            taken[0], next_step=f"see who has it: ss -ltnp 'sport = :{port}'; or another --bind"
        )
    arguments: Sequence[str] = [
        *("--bind", plan.bind, "--keys", str(folder), *(["--insecure"] if plan.insecure else [])),
        *("--directory", broker.directory, "--publish", broker.publish, "--subscribe", broker.subscribe),
        *("--overlays", (rig.overlay or OverlayPlan()).bind),
    ]
    return plan_edge(arguments)
