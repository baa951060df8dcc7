"""`zbus broker`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_options, insecure_option, json_option, warn_if_open
from zbus.config import BrokerPlan, Rig
from zbus.plugins import load_plugin


@click.command()
@broker_options
@insecure_option
@click.option("--quiet", is_flag=True, help="Do not say where it listens.")
@json_option
def broker(
    rig: Rig,
    broker: BrokerPlan,
    insecure: bool,
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
    plan = replace(broker, insecure=insecure or broker.insecure)
    warn_if_open(plan.insecure)
    run_node(lambda reactor: run_broker(plan, reactor, on_ready))


def _describe(endpoints: Mapping[str, str]) -> str:
    places = "\n".join(f"  {name:<10} {endpoint}" for name, endpoint in endpoints.items())
    return f"the broker runs; Ctrl-C ends it\n{places}"
