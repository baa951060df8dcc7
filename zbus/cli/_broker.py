"""`zbus broker`"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import (
    Flags,
    broker_options,
    insecure_option,
    json_option,
    keys_folder,
    warn_if_open,
)
from zbus.config import BrokerPlan, Rig, read_settings
from zbus.errors import ZbusError
from zbus.plugins import load_plugin
from zbus.transport import KeysFolder

log = logging.getLogger(__name__)


@click.command()
@broker_options
@insecure_option
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
    beacons: tuple[str, ...],
    zeroconf: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the broker: the one address that everybody of a rig knows.

    It forwards messages to who subscribed them, keeps the last state of each node for who comes late, and
    knows who publishes what.
    """

    def on_ready(endpoints: Mapping[str, str]) -> None:
        if quiet:
            return
        line = json.dumps({"endpoints": dict(endpoints)}) if as_json else _describe(endpoints)
        click.echo(line)

    run_broker = load_plugin("zbus.brokers", "broker")
    plan = _with_beacons(replace(broker, insecure=insecure or broker.insecure), beacons, zeroconf)
    warn_if_open(plan.insecure)
    edge = _told_of_edge(rig)
    run_node(lambda reactor: run_broker(plan, reactor, on_ready, rig=rig.name, **edge))


def _with_beacons(plan: BrokerPlan, beacons: tuple[str, ...], zeroconf: bool | None) -> BrokerPlan:
    given: dict[str, Any] = {} if zeroconf is None else {"zeroconf": zeroconf}
    if beacons:
        given["beacon"] = () if beacons == ("none",) else beacons
    return read_settings(BrokerPlan, {**asdict(plan), **given}, Flags())


def _told_of_edge(rig: Rig) -> dict[str, str]:
    """What beacons tell of the edge that the rig file names: its place, and its public key."""
    if rig.edge is None:
        return {}
    told = {"edge": rig.edge.bind}
    keys = KeysFolder(keys_folder(None, rig))
    if rig.edge.insecure or not keys.has_rig_key:
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
