"""`zbus demo`"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import Any

import click

from zbus.cli._demo_rig import arena_rig, choose_ports, video_rig
from zbus.cli._node import run_node
from zbus.cli._options import json_option
from zbus.config import Rig
from zbus.config import write_rig as text_of
from zbus.errors import NodeFailed
from zbus.nodes import Probe, Supervisor, plan_children
from zbus.transport import Reactor

START_TIMEOUT_S = 30.0
LOOK_PERIOD_S = 0.1
LAST_WORDS_S = 0.3
SETTLE_S = 1.0


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=None, help="End after so long.  [default: Ctrl-C]"
)
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option(
    "--ports",
    type=click.Choice(["standard", "auto"]),
    default="standard",
    show_default=True,
    help="auto takes free ports, so that several demos run side by side.",
)
@click.option(
    "--video", type=click.Path(path_type=Path), default=None, help="Play this video in place of the arena."
)
@click.option(
    "--animals",
    type=click.IntRange(1, 200),
    default=None,
    help="How many animals.  [default: 5; 1 in a video]",
)
@click.option("--loop", is_flag=True, help="Play the video again and again.")
@click.option(
    "--write-rig",
    type=click.Path(path_type=Path),
    default=None,
    help="Write the demo's rig file, to start your own from, and do nothing else.",
)
@json_option
def demo(
    seconds: float | None,
    browser: bool,
    ports: str,
    video: Path | None,
    animals: int | None,
    loop: bool,
    write_rig: Path | None,
    as_json: bool,
) -> None:
    """A whole rig without hardware: broker, arena, tracker, overlay door, and a page to look at.

    With --video it tracks a real video, to its end. With --json the first line on stdout holds the
    endpoints and the last one a summary.
    """
    with tempfile.TemporaryDirectory(prefix="zbus-demo-") as folder:
        rig = _make_rig(
            video, animals, loop, Path(folder) if write_rig is None else write_rig.resolve().parent
        )
        if write_rig is not None:
            write_rig.write_text(text_of(rig), encoding="utf-8")
            click.echo(f"{write_rig} is written; start it: zbus up {write_rig}")
            return
        rig = choose_ports(rig) if ports == "auto" else rig
        path = Path(folder) / "demo.toml"
        path.write_text(text_of(rig), encoding="utf-8")
        summary = _run(rig, path, seconds, browser and not as_json, as_json)
    click.echo(json.dumps(summary) if as_json else _describe_summary(summary))


def _make_rig(video: Path | None, animals: int | None, loop: bool, folder: Path) -> Rig:
    if video is None:
        return arena_rig(animals or 5)
    click.echo(f"looking at {video} for what stands out ...", err=True)
    return video_rig(video, animals or 1, loop, folder)


def _run(rig: Rig, path: Path, seconds: float | None, browser: bool, as_json: bool) -> dict[str, Any]:
    camera = next(iter(rig.cameras))
    summary: dict[str, Any] = {}

    def run(reactor: Reactor) -> None:
        # Why in this order: the probe hears the last words of every node.
        with Probe(camera, rig.broker, reactor) as probe:
            with Supervisor(rig, plan_children(rig, path), reactor):
                _wait_for_tracks(probe, reactor)
                _tell_endpoints(rig, browser, as_json)
                reactor.after(min(SETTLE_S, (seconds or SETTLE_S) / 2), lambda: probe.time_latency(True))
                if seconds is not None:
                    reactor.after(seconds, reactor.stop)
                reactor.every(LOOK_PERIOD_S, lambda: reactor.stop() if probe.ended else None)
                reactor.run()
                probe.time_latency(False)
            _hear_out(probe)
            summary.update(probe.summary())

    run_node(run)
    return summary


def _wait_for_tracks(probe: Probe, reactor: Reactor) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not probe.tracks and not reactor.stopping:
        if time.monotonic() > deadline_s:
            raise NodeFailed(
                f"no tracks within {START_TIMEOUT_S:g} s; {probe.failure or 'every process runs'}",
                next_step="see why: zbus -v demo; other ports: zbus demo --ports auto; zbus doctor",
            )
        reactor.run_once(LOOK_PERIOD_S)


def _hear_out(probe: Probe) -> None:
    until_s = time.monotonic() + LAST_WORDS_S
    while time.monotonic() < until_s:
        probe.take()
        time.sleep(LOOK_PERIOD_S / 10)


def _tell_endpoints(rig: Rig, browser: bool, as_json: bool) -> None:
    page = f"http://{rig.gateway.bind}/" if rig.gateway else ""
    endpoints = {
        "directory": rig.broker.directory,
        "publish": rig.broker.publish,
        "subscribe": rig.broker.subscribe,
        "overlay": rig.overlay.bind if rig.overlay else "",
        "http": page,
    }
    if as_json:
        print(json.dumps({"endpoints": endpoints}), flush=True)  # noqa: T201
        return
    click.echo(f"the demo runs; look at {page}  (Ctrl-C ends it)")
    for name, endpoint in endpoints.items():
        click.echo(f"  {name:<10} {endpoint}")
    if browser and sys.stdout.isatty():
        webbrowser.open(page)


def _describe_summary(summary: dict[str, Any]) -> str:
    latency = summary["latency_ms"] or {"p50": float("nan"), "p99": float("nan")}
    lines = [
        f"{summary['frames']} frames, {summary['tracks']} tracks messages, {summary['ids']} animals",
        f"{summary['gaps']} gaps, {summary['drops']} drops",
        f"capture to tracks: half within {latency['p50']:.1f} ms, 99 of 100 within {latency['p99']:.1f} ms",
    ]
    if "centroid_rmse_px" in summary:
        lines.append(f"centroids are {summary['centroid_rmse_px']:.2f} px from the truth (rmse)")
    return "\n".join(lines)
