"""`zbus demo`"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zbus.cli._demo_rig import arena_rig, choose_ports, video_rig
from zbus.cli._node import run_node
from zbus.cli._numbers import FiniteFloat, WholeNumber
from zbus.cli._options import json_option
from zbus.config import Rig
from zbus.config import write_rig as text_of
from zbus.errors import AddressInUse, ConfigError, NodeFailed, ZbusError
from zbus.nodes import is_answered, remove_rig_folder
from zbus.transport import Reactor

if TYPE_CHECKING:
    from zbus.nodes import Probe, Supervisor

START_TIMEOUT_S = 30.0
LOOK_PERIOD_S = 0.1
WAIT_PERIOD_S = 0.02
LAST_WORDS_S = 0.3
SETTLE_S = 1.0


@click.command()
@click.option(
    "--seconds", type=FiniteFloat(min=0.1), default=None, help="End after so long.  [default: Ctrl-C]"
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
    type=WholeNumber(1, 200),
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
    if write_rig is not None:
        # Why here too: a video is looked at for seconds, and leaves its background beside the file.
        if write_rig.exists():
            raise _exists_already(write_rig)
        rig = _make_rig(video, animals, loop, write_rig.resolve().parent)
        _write(write_rig, rig)
        click.echo(f"{write_rig} is written; start it: zbus up {write_rig}")
        return
    with tempfile.TemporaryDirectory(prefix="zbus-demo-") as folder:
        rig = _make_rig(video, animals, loop, Path(folder))
        rig = choose_ports(rig) if ports == "auto" else rig
        _write(path := Path(folder) / "demo.toml", rig)
        try:
            summary = _run(rig, path, seconds, browser and not as_json, as_json)
        finally:
            if ports == "auto":
                remove_rig_folder(rig.broker)
    click.echo(json.dumps(summary) if as_json else _describe_summary(summary))


def _exists_already(path: Path) -> ConfigError:
    return ConfigError(f"{path} exists already", next_step="choose another name, or remove it first")


def _write(path: Path, rig: Rig) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text_of(rig))
    except FileExistsError as error:
        raise _exists_already(path) from error
    except OSError as error:
        step = "choose a folder that you may write to"
        raise ConfigError(f"cannot be written: {error.strerror}", path=str(path), next_step=step) from error


def _make_rig(video: Path | None, animals: int | None, loop: bool, folder: Path) -> Rig:
    if video is None:
        return arena_rig(animals or 5)
    click.echo(f"looking at {video} for what stands out ...", err=True)
    return video_rig(video, animals or 1, loop, folder)


def _run(rig: Rig, path: Path, seconds: float | None, browser: bool, as_json: bool) -> dict[str, Any]:
    # Why here: `zbus demo --help` need not wait for what computes the summary.
    from zbus.nodes import Probe, Supervisor, plan_children

    camera = next(iter(rig.cameras))
    summary: dict[str, Any] = {}

    def run(reactor: Reactor) -> None:
        with Supervisor(rig, plan_children(rig, path), reactor) as supervisor:
            _wait_for_broker(rig, supervisor, reactor)
            # Why not before: who knocks too early waits for up to a second until it knocks again.
            with Probe(camera, rig.broker, reactor) as probe:
                _wait_until_ready(rig, probe, supervisor, reactor)
                _tell_endpoints(rig, browser, as_json)
                _look(probe, seconds, reactor)
                # Why here: the probe hears the last words of every node.
                supervisor.close()
                probe.hear_out(LAST_WORDS_S)
                summary.update(probe.summary())

    try:
        run_node(run)
    except AddressInUse as error:
        step = "choose free ports: zbus demo --ports auto; or see what runs: zbus ps, ss -ltnp"
        raise AddressInUse(error.endpoint, next_step=step) from error
    except ZbusError as error:
        # Why by its cause: a supervisor whose name is taken tells so, and has no class for it.
        if isinstance(error.__cause__, AddressInUse):
            error.next_step += "; for one more beside it: zbus demo --ports auto"
        raise
    return summary


def _wait_for_broker(rig: Rig, supervisor: Supervisor, reactor: Reactor) -> None:
    def is_there() -> bool:
        return is_answered(rig.broker.subscribe, LOOK_PERIOD_S)

    _wait(is_there, lambda: "no broker", supervisor, reactor)


def _wait_until_ready(rig: Rig, probe: Probe, supervisor: Supervisor, reactor: Reactor) -> None:
    """Wait for the first tracks, for the overlay door and for the page: what is told then can be used."""
    assert rig.gateway is not None
    page = rig.gateway.bind

    def is_ready() -> bool:
        return bool(probe.tracks) and probe.is_running("overlay") and is_answered(page, LOOK_PERIOD_S)

    _wait(is_ready, lambda: "no overlay door or page" if probe.tracks else "no tracks", supervisor, reactor)


def _wait(
    is_there: Callable[[], bool], missing: Callable[[], str], supervisor: Supervisor, reactor: Reactor
) -> None:
    """Let the rig run until `is_there`. Raises NodeFailed with a process's own words, or what is missing."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not reactor.stopping and not is_there():
        if supervisor.failure:
            raise supervisor.failure
        if time.monotonic() > deadline_s:
            raise NodeFailed(
                f"there is {missing()} after {START_TIMEOUT_S:g} s, though every process runs",
                next_step="see why: zbus -v demo; zbus doctor",
            )
        reactor.run_once(WAIT_PERIOD_S)


def _look(probe: Probe, seconds: float | None, reactor: Reactor) -> None:
    """Let the rig run, to its end if it has one."""
    reactor.after(min(SETTLE_S, (seconds or SETTLE_S) / 2), lambda: probe.time_latency(True))
    if seconds is not None:
        reactor.after(seconds, reactor.stop)
    reactor.every(LOOK_PERIOD_S, lambda: reactor.stop() if probe.ended else None)
    reactor.run()
    probe.time_latency(False)


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
        click.echo(json.dumps({"endpoints": endpoints}))
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
