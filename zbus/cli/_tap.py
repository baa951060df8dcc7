"""`zbus tap`"""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._numbers import FiniteFloat, WholeNumber
from zbus.cli._options import broker_options, json_option
from zbus.cli._text import printable
from zbus.config import BrokerPlan, Rig
from zbus.errors import RequestTimeout
from zbus.nodes import is_answered
from zbus.transport import EVERY, ClientKey, Finding, Gap, Reactor, Received, Restart, Subscriber, key_of
from zbus.wire import KINDS, Frame

SUMMARY_MAX_CHARS = 200
HINT_AFTER_S = 3.0
KNOCK_TIMEOUT_S = 0.5
NEXT_STEP = "start a broker or a rig: zbus broker, zbus up RIG.TOML; is the address right? zbus doctor"

# That there are none of these is what a message says.
_TOLD_EMPTY = ("shapes", "track_ids")
# Times of clocks that tell nothing about now, seen from another host.
_OTHER_CLOCKS = ("mono_ns", "device_ns")


@click.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--count", type=WholeNumber(min=1), default=None, help="End after so many messages.")
@click.option("--seconds", type=FiniteFloat(min=0.1), default=None, help="End after so long.")
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

    A line is topic, seq, age and content: pixels to a tenth, times as ms ago, cut at the terminal's width.
    Gaps and restarts are told where they are found, and after three seconds of silence why nothing comes.
    With --json each line is an object; times are in microseconds, pixels are left out.
    """
    wanted = topics or tuple(f"{kind}/" for kind in KINDS if kind != Frame.kind)
    endpoint, key = at or broker.subscribe, key_of(broker)
    run_node(lambda reactor: _Tap(endpoint, key, wanted, count, as_json, reactor).run(seconds))


class _Tap:
    """Shows what comes, until `count` messages were shown."""

    def __init__(
        self,
        endpoint: str,
        key: ClientKey | None,
        topics: tuple[str, ...],
        count: int | None,
        as_json: bool,
        reactor: Reactor,
    ) -> None:
        self._endpoint, self._topics, self._left, self._reactor = endpoint, topics, count, reactor
        self._show = _show_json if as_json else _show
        self._subscriber = Subscriber(endpoint, topics, policy=EVERY, on_finding=_tell, key=key)

    def run(self, seconds: float | None) -> None:
        """Until Ctrl-C, or for so long. Raises RequestTimeout where nobody was there for all of it."""
        with self._subscriber:
            self._reactor.watch(self._subscriber.socket, self._take)
            self._reactor.after(HINT_AFTER_S, self._hint)
            if seconds is not None:
                self._reactor.after(seconds, self._end)
            self._reactor.run()
            _tell_refused(self._subscriber)

    @property
    def _is_silent(self) -> bool:
        return not self._subscriber.counters.received and not self._subscriber.counters.refused

    def _take(self) -> None:
        for received in self._subscriber.take():
            if self._left == 0:
                break
            self._show(received)
            self._left = None if self._left is None else self._left - 1
        if self._left == 0:
            self._reactor.stop()

    def _hint(self) -> None:
        if self._is_silent:
            click.secho(f"{self._describe_silence()}; waiting ...", fg="yellow", err=True)

    def _end(self) -> None:
        if self._is_silent and not self._is_answered():
            raise RequestTimeout(self._describe_silence(), next_step=NEXT_STEP)
        self._reactor.stop()

    def _describe_silence(self) -> str:
        if self._is_answered():
            return f"nobody has published {', '.join(self._topics)} yet; see who is there: zbus ls"
        return f"nobody answers at {self._endpoint}"

    def _is_answered(self) -> bool:
        # Why: only a TCP port can be knocked at; of others nothing is known.
        return not self._endpoint.startswith("tcp://") or is_answered(self._endpoint, KNOCK_TIMEOUT_S)


def _show(received: Received) -> None:
    origin, body = received.origin, received.body
    now_ns = time.time_ns()
    age_ms = (now_ns - origin.published_ns) / 1e6
    summary = printable(_summarize(body, now_ns))
    line = f"{received.topic!s:<24} {origin.seq:>8}  {age_ms:7.1f} ms  {summary[:SUMMARY_MAX_CHARS]}"
    # Why: a line that wraps makes a table unreadable; --json has all of it.
    click.echo(line[: shutil.get_terminal_size().columns] if sys.stdout.isatty() else line)


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


def _summarize(body: Any, now_ns: int) -> str:
    if isinstance(body, Frame):
        return f"frame {body.frame_number}  {body.width}x{body.height} {body.pixel_format} {body.codec}"
    if body is None:
        return "a kind that this version does not know"
    shown = _shorten("", body.header(), now_ns)
    return ", ".join(
        f"{key} {value}" for key, value in shown.items() if value not in ("", {}, []) or key in _TOLD_EMPTY
    )


def _shorten(key: str, value: Any, now_ns: int) -> Any:
    """`value` for a person: pixels to a tenth, times as what has passed since, none of other clocks."""
    if isinstance(value, dict):
        return {
            each.removesuffix("_ns"): _shorten(key if key.startswith("DRAW_") else each, inner, now_ns)
            for each, inner in value.items()
            if each not in _OTHER_CLOCKS
        }
    if isinstance(value, list):
        return [_shorten(key, inner, now_ns) for inner in value]
    if key.endswith("_ns") and isinstance(value, int):
        return f"{(now_ns - value) / 1e6:.1f} ms ago"
    if isinstance(value, float):
        return round(value, 1) if key.endswith("_px") or key.startswith("DRAW_") else float(f"{value:.4g}")
    return value


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
