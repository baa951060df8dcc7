"""`zbus relay`"""

from __future__ import annotations

import click

from zbus.cli._check import relay_keys
from zbus.cli._node import run_node
from zbus.cli._options import broker_options, warn_if_open
from zbus.config import BrokerPlan, Rig
from zbus.nodes import rig_folder
from zbus.plugins import load_plugin


@click.command()
@broker_options
def relay(rig: Rig, broker: BrokerPlan) -> None:
    """Run the relay of one host of a rig file: `zbus relay --rig rig.toml --host left`.

    It carries what is wanted there from the rig's other hosts, each topic once. `zbus up` starts it.
    """
    if len(rig.hosts) < 2:
        raise click.UsageError("name a rig file with several hosts by --rig, and which one this is by --host")
    keys = relay_keys(rig)
    warn_if_open(rig.relay.insecure)
    run_relay = load_plugin("zbus.brokers", "relay")
    run_node(lambda reactor: run_relay(rig, broker, reactor, rig_folder(broker), keys))
