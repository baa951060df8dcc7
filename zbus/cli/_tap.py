"""`zbus tap`"""

from __future__ import annotations

import json
import time
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_options, json_option
from zbus.config import BrokerPlan, Rig
from zbus.transport import EVERY, Finding, Gap, Reactor, Received, Restart, Subscriber
from zbus.wire import KINDS, Frame


@click.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--count", type=click.IntRange(min=1), default=None, help="End after so many messages.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=None, help="End after so long.")
@click.option(
    "--at", default=None, metavar="ENDPOINT", help="A publisher's own endpoint in place of the broker's."
)
@broker_options
@json_option
def tap(
    topics: tuple[str, ...],
    count: int | None,
    seconds: float | None,
    at: str | None,
    rig: Rig,
    broker: BrokerPlan,
    as_json: bool,
) -> None:
    """Print the messages of some topics, such as `tracks/` or `frame/cam1/`; all but pictures without any.

    Gaps and restarts are told where they are found. With --json each line is an object; times are in
    microseconds, pixels are left out.
    """
    wanted = topics or tuple(f"{kind}/" for kind in KINDS if kind != Frame.kind)
    show = _show_json if as_json else _show
    left = [count]

    def run(reactor: Reactor) -> None:
        def take() -> None:
            for received in subscriber.take():
                if left[0] == 0:
                    return
                show(received)
                left[0] = None if left[0] is None else left[0] - 1
            if left[0] == 0:
                reactor.stop()

        with Subscriber(at or broker.subscribe, wanted, policy=EVERY, on_finding=_tell) as subscriber:
            reactor.watch(subscriber.socket, take)
            if seconds is not None:
                reactor.after(seconds, reactor.stop)
            reactor.run()
            _tell_refused(subscriber)

    run_node(run)


def _show(received: Received) -> None:
    origin, body = received.origin, received.body
    age_ms = (time.time_ns() - origin.published_ns) / 1e6
    click.echo(f"{received.topic!s:<24} {origin.seq:>8}  {age_ms:7.1f} ms  {_summarize(body)}")


def _show_json(received: Received) -> None:
    header = received.body.header() if received.body else {}
    line = {
        "topic": str(received.topic),
        "node": received.origin.node,
        "session": received.origin.session,
        "seq": received.origin.seq,
        "published_us": received.origin.published_ns // 1000,
        **_in_microseconds(header),
    }
    click.echo(json.dumps(line))


def _in_microseconds(header: dict[str, Any]) -> dict[str, Any]:
    """Nanoseconds as integers of microseconds: a reader's double would lose the last digits."""
    plain: dict[str, Any] = {}
    for key, value in header.items():
        if key.endswith("_ns") and isinstance(value, int):
            plain[f"{key.removesuffix('_ns')}_us"] = value // 1000
        else:
            plain[key] = _in_microseconds(value) if isinstance(value, dict) else value
    return plain


def _summarize(body: Any) -> str:
    if isinstance(body, Frame):
        return f"frame {body.frame_number}  {body.width}x{body.height} {body.pixel_format} {body.codec}"
    if body is None:
        return "a kind that this version does not know"
    return ", ".join(f"{key} {value}" for key, value in body.header().items() if value not in ("", {}, []))[
        :200
    ]


def _tell(finding: Finding) -> None:
    if isinstance(finding, Gap):
        text = f"gap: {finding.lost} messages of {finding.topic} are missing from seq {finding.first_seq} on"
    elif isinstance(finding, Restart):
        text = f"restart: {finding.topic} comes from a new session after {finding.silent_s:.2f} s of silence"
    else:
        text = f"duplicate: two publishers send {finding.topic}"
    click.secho(text, fg="yellow", err=True)


def _tell_refused(subscriber: Subscriber) -> None:
    for reason, count in subscriber.counters.refused.items():
        click.secho(f"{count} messages were refused: {reason}", fg="red", err=True)
