"""`zbus serve`"""

from __future__ import annotations

from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import broker_options, given_settings, settings_options
from zbus.config import BrokerPlan, Rig, read_settings
from zbus.plugins import load_plugin, plugin_names


class _FrontEnds(click.Group):
    """One sub-command for each front-end plug-in, its options made from the plug-in's settings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return plugin_names("zbus.gateways")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        front_end = load_plugin("zbus.gateways", cmd_name)
        params = settings_options(front_end.Settings)
        summary = (front_end.__doc__ or cmd_name).strip()
        return click.Command(cmd_name, callback=_runner(front_end), params=params, help=summary)


@click.group(cls=_FrontEnds)
@broker_options
@click.pass_context
def serve(
    ctx: click.Context,
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Serve the clients of another system, so that their scripts run against this rig unchanged."""
    ctx.obj = broker


def _runner(front_end: Any) -> Any:
    @click.pass_obj
    def run(broker: BrokerPlan, **values: Any) -> None:
        settings = read_settings(front_end.Settings, given_settings(values))
        run_node(lambda reactor: front_end().run(settings, broker, reactor))

    return run
