"""Rigs that tell of themselves: heard by beacon, and asked for by zeroconf where its library is there."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import click

from zbus.cli._text import printable
from zbus.transport import BeaconListener, HeardRig, ZeroconfFinder, own_interfaces

# Two beacons of a rig, and a little more.
FIND_S = 2.5
SMALLEST_PREFIX = 31

log = logging.getLogger(__name__)


def show_found(duration_s: float, as_json: bool) -> None:
    """Listen for so long at all interfaces of this host, and show the rigs that were heard."""
    # Why not the smallest networks: they have no address for all.
    addresses = [str(each.ip) for each in own_interfaces() if each.network.prefixlen < SMALLEST_PREFIX]
    rigs = find_rigs(duration_s, addresses)
    if as_json:
        click.echo(json.dumps({"rigs": rigs}))
        return
    for rig in rigs:
        _show(rig)
    if not rigs:
        click.echo(f"no rig was heard within {duration_s:g} s at {', '.join(addresses)}")
        click.echo("  try: zbus ps; a rig of another host is heard where its file says so: [broker] beacon")


def find_rigs(duration_s: float, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """The rigs heard at the interfaces with these addresses, by name, and by which means. Blocks.

    Raises TransportError where this host cannot listen for beacons.
    """
    with BeaconListener(addresses) as listener, ExitStack() as ends:
        finder = _begin_zeroconf(addresses, ends)
        heard = {"beacon": listener.listen(duration_s)}
        heard["zeroconf"] = finder.listing() if finder else []
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for means, rigs in heard.items():
        for rig in rigs:
            beacon = rig.beacon
            key = (beacon.session, beacon.directory, beacon.edge)
            found.setdefault(key, _to_map(rig))["by"].append(means)
    return sorted(found.values(), key=lambda rig: (rig["rig"], rig["host"]))


def _begin_zeroconf(addresses: Sequence[str], ends: ExitStack) -> ZeroconfFinder | None:
    if find_spec("zeroconf") is None:
        return None
    try:
        return ends.enter_context(ZeroconfFinder(addresses))
    except OSError as error:
        log.warning("rigs are not asked for by zeroconf: %s", error)
        return None


def _to_map(rig: HeardRig) -> dict[str, Any]:
    told = {key: value for key, value in asdict(rig.beacon).items() if key != "period_ms"}
    return {**told, "address": rig.address, "by": []}


def _show(rig: dict[str, Any]) -> None:
    lines = [f"{rig['rig']}  on {rig['host']}, heard from {rig['address']} by {' and '.join(rig['by'])}"]
    lines += [f"  directory {rig['directory']}"] if rig["directory"] else []
    lines += [f"  edge      {rig['edge']}  with a key"] if rig["edge"] else []
    lines += [f"  its key   {rig['server_key']}  (compare; a key file decides)"] if rig["server_key"] else []
    for line in lines:
        # Why: whoever can send a datagram can say what he likes.
        click.echo(printable(line))
