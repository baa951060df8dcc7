"""The list of verbs, and what all of them share: help without imports, errors with a next step."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from zbus import __version__
from zbus.cli._text import OneLine, printable
from zbus.errors import EXIT_USAGE, ConfigError, ZbusError

if TYPE_CHECKING:
    from zbus.nodes import Lifeline

# Why these: the errors of a file that takes no more.
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EDQUOT)

SUPERVISOR_FD = "ZBUS_SUPERVISOR_FD"

# verb: (file, what it does in a line). Why by name: `zbus --help` must not import numpy.
VERBS = {
    "demo": ("_demo", "A whole rig without hardware, with a page to look at."),
    "up": ("_up", "Start the rig of a rig file and keep it running."),
    "down": ("_down", "Stop a rig that is up."),
    "ps": ("_ps", "Show the rigs of this machine and their processes."),
    "camera": ("_camera", "Run one camera."),
    "track": ("_track", "Run one tracker on a camera's frames."),
    "overlay": ("_overlay", "Run the door through which anyone draws."),
    "broker": ("_broker", "Run the rig's one known address: directory and forwarder."),
    "edge": ("_edge", "Run the locked door for other computers."),
    "relay": ("_relay", "Carry what is wanted between the hosts of a rig."),
    "gateway": ("_gateway", "Run the live page."),
    "serve": ("_serve", "Serve another system's clients."),
    "ls": ("_ls", "List nodes and their topics."),
    "tap": ("_tap", "Print the messages of some topics."),
    "top": ("_top", "Show rates, gaps and drops, again and again."),
    "keys": ("_keys", "Make and list the keys that let other computers in."),
    "spec": ("_spec", "Print the wire specification."),
    "bench": ("_bench", "Measure speed beside other ways of doing the same."),
    "doctor": ("_doctor", "Check this machine and say what to mend."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"zbus.cli.{VERBS[cmd_name][0]}")
        return getattr(module, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        _fill_standard_files()
        try:
            return super().main(*args, **extra)
        except OSError as error:
            # Why without a name: the file is none that we opened. A reader that went away is click's to see.
            if error.errno not in _FULL or error.filename is not None:
                raise
            _give_up_output(error)

    def invoke(self, ctx: click.Context) -> Any:
        as_json = "--json" in ctx.args
        lifeline = _hold_on()
        try:
            return super().invoke(ctx)
        except ZbusError as error:
            if lifeline is None or not lifeline.tell(error):
                _tell(error, as_json)
            ctx.exit(error.exit_code)
        except click.UsageError as error:
            if not as_json:
                raise
            _tell(_in_our_words(error), as_json)
            ctx.exit(error.exit_code)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zbus")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for everything.")
def zbus(verbose: int) -> None:
    """The bus on which a rig's cameras, trackers, recorders and experiments meet.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 no such name, 5 address in use,
    6 nobody answers, 7 camera or device.
    """
    import logging

    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=levels[min(verbose, 2)], handlers=[handler])


def _fill_standard_files() -> None:
    """Put the null device where a shell closed stdout or stderr.

    Why: else the next socket takes its number, and what a library says goes into that.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _give_up_output(error: OSError) -> None:
    # Why: what is left in it would be tried again at the end.
    with contextlib.suppress(OSError):
        sys.stdout.close()
    told = ZbusError(f"the output cannot be written: {error.strerror}", next_step="write it elsewhere")
    _tell(told, as_json=False)
    sys.exit(told.exit_code)


def _hold_on() -> Lifeline | None:
    """The lifeline to the supervisor that started this process, if one did: this process ends with it."""
    # Why first by name: `zbus --help` must not import what nodes need.
    if SUPERVISOR_FD not in os.environ:
        return None
    from zbus.nodes import take_lifeline

    lifeline = take_lifeline()
    if lifeline is not None:
        lifeline.watch()
    return lifeline


def _in_our_words(error: click.UsageError) -> ZbusError:
    command = error.ctx.command_path if error.ctx else "zbus"
    told = ConfigError(error.format_message(), next_step=f"{command} --help")
    told.exit_code = EXIT_USAGE
    return told


def _tell(error: ZbusError, as_json: bool) -> None:
    if as_json:
        told = {"code": error.code, "cause": error.cause, "next_step": error.next_step}
        click.echo(json.dumps({"error": told}))
        return
    click.secho(f"error: {printable(error.cause)}", fg="red", err=True)
    if error.next_step:
        click.echo(f"  try: {printable(error.next_step)}", err=True)
