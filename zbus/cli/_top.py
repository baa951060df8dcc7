"""`zbus top`"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._numbers import FiniteFloat
from zbus.cli._options import broker_options, json_option
from zbus.cli._text import printable
from zbus.config import BrokerPlan, Rig
from zbus.errors import RequestTimeout
from zbus.transport import EVERY, Reactor, Subscriber, key_of
from zbus.wire import STATE, State

CLEAR_SCREEN = "\x1b[2J\x1b[H"
FIRST_STATE_S = 5.0
# Every node tells its state once a second.
SILENT_AFTER_S = 5.0
NODES_MAX = 1_024

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
@click.option("--seconds", type=FiniteFloat(min=0.1), default=None, help="End after so long.")
@click.option(
    "--every",
    "period_s",
    type=FiniteFloat(min=0.2),
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
    """Show what each node does, by the second, and what it lost; also when nobody is heard any more."""
    run_node(lambda reactor: _Top(broker, period_s, as_json, reactor).run(seconds))


class _Top:
    """The last two states of each node, and what changed between them."""

    def __init__(self, broker: BrokerPlan, period_s: float, as_json: bool, reactor: Reactor) -> None:
        self._endpoint, self._period_s, self._as_json = broker.subscribe, period_s, as_json
        self._reactor = reactor
        self._subscriber = Subscriber(self._endpoint, f"{STATE}/", policy=EVERY, key=key_of(broker))
        self._states: dict[str, State] = {}
        self._before: dict[str, State] = {}
        self._heard_s = time.monotonic()

    def run(self, seconds: float | None) -> None:
        """Until Ctrl-C, or for so long. Raises RequestTimeout where no node tells its state."""
        with self._subscriber:
            self._reactor.watch(self._subscriber.socket, self._take)
            self._reactor.every(self._period_s, self._show)
            self._reactor.after(min(FIRST_STATE_S, seconds or FIRST_STATE_S), self._check)
            if seconds is not None:
                self._reactor.after(seconds, self._reactor.stop)
            self._reactor.run()

    def _take(self) -> None:
        for received in self._subscriber.take():
            self._heard_s = time.monotonic()
            if isinstance(received.body, State) and self._has_room_for(received.origin.node):
                self._states[received.origin.node] = received.body

    def _has_room_for(self, node: str) -> bool:
        return node in self._states or len(self._states) < NODES_MAX

    def _show(self) -> None:
        if not self._states:
            return
        rows = [
            _row(node, state, self._before.get(node), self._period_s)
            for node, state in sorted(self._states.items())
        ]
        self._before = dict(self._states)
        silent_s = round(time.monotonic() - self._heard_s, 1)
        if self._as_json:
            click.echo(json.dumps({"nodes": rows, "silent_s": silent_s}))
            return
        click.echo(_table(rows))
        if silent_s > SILENT_AFTER_S:
            told = f"nothing was heard for {silent_s:.0f} s: these are the last states; what runs: zbus ps"
            click.secho(told, fg="yellow")

    def _check(self) -> None:
        if not self._states:
            raise RequestTimeout(
                f"no node has told its state at {self._endpoint}", next_step="zbus ps; zbus doctor"
            )


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
    # Why: every node tells of itself what it likes.
    return (CLEAR_SCREEN if sys.stdout.isatty() else "") + "\n".join(map(printable, lines))
