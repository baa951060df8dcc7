"""`zbus top`"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_options, json_option
from zbus.config import BrokerPlan, Rig
from zbus.errors import RequestTimeout
from zbus.transport import EVERY, Reactor, Subscriber
from zbus.wire import STATE, State

CLEAR_SCREEN = "\x1b[2J\x1b[H"
FIRST_STATE_S = 5.0

# What of each role's counters is a flow, shown by the second, and what a loss, shown as it stands.
_FLOWS = ("published", "tracked", "forwarded", "received", "sent")
_LOSSES = (
    "dropped",
    "publish_dropped",
    "camera_lost_frames",
    "frames_skipped",
    "lost",
    "gaps",
    "refused",
    "failed",
)


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0.1), default=None, help="End after so long.")
@click.option(
    "--every",
    "period_s",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    help="Seconds between two looks.",
)
@broker_options
@json_option
def top(
    seconds: float | None,
    period_s: float,
    rig: Rig,
    broker: BrokerPlan,
    as_json: bool,
) -> None:
    """Show what each node does, by the second, and what it lost."""
    states: dict[str, State] = {}
    before: dict[str, State] = {}

    def run(reactor: Reactor) -> None:
        def take() -> None:
            for received in subscriber.take():
                if isinstance(received.body, State):
                    states[received.origin.node] = received.body

        def show() -> None:
            rows = [_row(node, state, before.get(node), period_s) for node, state in sorted(states.items())]
            before.update(states)
            click.echo(json.dumps({"nodes": rows}) if as_json else _table(rows))

        def check() -> None:
            if not states:
                raise RequestTimeout(
                    f"no node has told its state at {broker.subscribe}", next_step="zbus ps; zbus doctor"
                )

        with Subscriber(broker.subscribe, f"{STATE}/", policy=EVERY) as subscriber:
            reactor.watch(subscriber.socket, take)
            reactor.every(period_s, show)
            reactor.after(FIRST_STATE_S, check)
            if seconds is not None:
                reactor.after(seconds, reactor.stop)
            reactor.run()

    run_node(run)


def _row(node: str, state: State, before: State | None, period_s: float) -> dict[str, Any]:
    return {
        "node": node,
        "role": state.role,
        "state": state.state,
        "cause": state.cause,
        "per_s": _rates(state.counters, before.counters if before else None, period_s),
        "losses": {name: state.counters[name] for name in _LOSSES if state.counters.get(name)},
    }


def _rates(
    counters: Mapping[str, float], before: Mapping[str, float] | None, period_s: float
) -> dict[str, float]:
    if before is None:
        return {}
    return {
        name: round(max(0.0, counters[name] - before[name]) / period_s, 1)
        for name in _FLOWS
        if name in counters and name in before
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'node':<20} {'role':<10} {'state':<10} {'per second':<28} lost"]
    for row in rows:
        rates = "  ".join(f"{name} {rate:g}" for name, rate in row["per_s"].items())
        losses = "  ".join(f"{name} {count:g}" for name, count in row["losses"].items()) or "nothing"
        lines.append(f"{row['node']:<20} {row['role']:<10} {row['state']:<10} {rates:<28} {losses}")
        lines += [f"{'':<20} {row['cause']}"] if row["cause"] else []
    return (CLEAR_SCREEN if sys.stdout.isatty() else "") + "\n".join(lines)
