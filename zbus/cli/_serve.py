"""`zbus serve`"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import Flags, broker_params, chosen_broker, given_settings
from zbus.cli._sub_commands import PluginGroup
from zbus.cli._text import printable
from zbus.config import read_settings


class _FrontEnds(PluginGroup):
    plugins = "zbus.gateways"

    def make_command(self, name: str, plugin: Any) -> click.Command:
        summary = (plugin.__doc__ or name).strip()
        return click.Command(
            name, callback=_runner(name, plugin), params=self.options_for(plugin.Settings), help=summary
        )


@click.group(cls=_FrontEnds, params=broker_params())
def serve() -> None:
    """Serve the clients of another system, so that their scripts run against this rig unchanged.

    Options of this page may stand before the system or after it.
    """


def _runner(name: str, front_end: Any) -> Any:
    def run(**values: Any) -> None:
        _, broker = chosen_broker()
        settings = read_settings(front_end.Settings, given_settings(values), Flags())
        click.echo(f"serving {name}: {_describe(settings)}; Ctrl-C ends it")
        run_node(lambda reactor: front_end().run(settings, broker, reactor))

    return run


def _describe(settings: Any) -> str:
    """The settings that are not empty; those that are on by name only."""
    # Why: where a file of settings is read too, it may say otherwise than the defaults do.
    has_file = bool(getattr(settings, "config", ""))
    told: list[str] = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value is None or value is False or value in ("", (), [], {}):
            continue
        if has_file and value == field.default:
            continue
        told.append(field.name if value is True else f"{field.name} {value}")
    return printable(", ".join(told) or "as it is by default")
