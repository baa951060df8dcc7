"""`zbus broker`"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from zbus.cli._edge import check_edge, edge_child, edge_plan
from zbus.cli._node import run_node
from zbus.cli._options import (
    Flags,
    broker_options,
    insecure_option,
    json_option,
    keys_folder,
    keys_option,
    warn_if_open,
)
from zbus.config import EDGE_PORT, BrokerPlan, EdgePlan, Rig, read_settings
from zbus.errors import ZbusError
from zbus.nodes import Keeper
from zbus.plugins import load_plugin
from zbus.transport import KeysFolder, Reactor

log = logging.getLogger(__name__)


@click.command()
@broker_options
@insecure_option
@click.option(
    "--bind",
    default=None,
    metavar="ENDPOINT",
    help=f"Let other computers in, by keys, at four ports from here on, such as tcp://0.0.0.0:{EDGE_PORT}.",
)
@keys_option
@click.option(
    "--beacon",
    "beacons",
    multiple=True,
    metavar="ADDRESS",
    help="An interface on which to tell where this rig is, again and again; none is silence.  "
    f"[default: {', '.join(BrokerPlan().beacon)}]",
)
@click.option("--zeroconf/--no-zeroconf", default=None, help="Tell it there by zeroconf too.")
@click.option("--quiet", is_flag=True, help="Do not say where it listens.")
@json_option
def broker(
    rig: Rig,
    broker: BrokerPlan,
    insecure: bool,
    bind: str | None,
    keys: Path | None,
    beacons: tuple[str, ...],
    zeroconf: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the broker: the one address that everybody of a rig knows.

    It forwards messages to who subscribed them, keeps the last state of each node for who comes late, and
    knows who publishes what. With --bind an edge beside it lets other computers in, as their keys allow.
    """
    plan = _with_beacons(replace(broker, insecure=insecure or broker.insecure), beacons, zeroconf)
    # Why not a rig file's edge too: `zbus up` starts that one by itself.
    edge = edge_plan(Rig(), bind, insecure)
    folder = keys_folder(keys, rig)
    if edge is not None:
        check_edge(edge, folder, plan, rig)
    run_broker = load_plugin("zbus.brokers", "broker")
    warn_if_open(plan.insecure)
    announced = _told_of_edge(edge or edge_plan(rig, None, False), folder)

    def run(reactor: Reactor) -> None:
        with ExitStack() as stack:
            kept = None if edge is None else Keeper(edge_child(edge, folder, plan, rig), reactor)

            def on_ready(endpoints: Mapping[str, str]) -> None:
                if kept is not None:
                    stack.enter_context(kept)
                    endpoints = {**endpoints, "edge": kept.child.plan.arguments[2]}
                if not quiet:
                    told = json.dumps({"endpoints": dict(endpoints)}) if as_json else _describe(endpoints)
                    click.echo(told)

            run_broker(plan, reactor, on_ready, rig=rig.name, **announced)

    run_node(run)


def _with_beacons(plan: BrokerPlan, beacons: tuple[str, ...], zeroconf: bool | None) -> BrokerPlan:
    given: dict[str, Any] = {} if zeroconf is None else {"zeroconf": zeroconf}
    if beacons:
        given["beacon"] = () if beacons == ("none",) else beacons
    return read_settings(BrokerPlan, {**asdict(plan), **given}, Flags())


def _told_of_edge(edge: EdgePlan | None, folder: Path) -> dict[str, str]:
    """What beacons tell of the edge: its place, and its public key."""
    if edge is None:
        return {}
    told = {"edge": edge.bind}
    keys = KeysFolder(folder)
    if edge.insecure or not keys.has_rig_key:
        return told
    try:
        return told | {"server_key": keys.rig_key().public}
    except ZbusError as error:
        # Why no error: it is the edge that needs the key, and says what is wrong with it.
        log.warning("beacons tell no key of the edge: %s", error)
        return told


def _describe(endpoints: Mapping[str, str]) -> str:
    places = "\n".join(f"  {name:<10} {endpoint}" for name, endpoint in endpoints.items())
    return f"the broker runs; Ctrl-C ends it\n{places}"
