"""`zbus camera`"""

from __future__ import annotations

from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import Flags, broker_options, given_settings, settings_options
from zbus.config import BrokerPlan, CameraPlan, Place, Rig, find_camera
from zbus.plugins import load_plugin, plugin_names


class _Sources(click.Group):
    """One sub-command for each camera plug-in, its options made from the plug-in's settings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return plugin_names("zbus.cameras")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        settings = load_plugin("zbus.cameras", cmd_name).Settings
        summary = (settings.__doc__ or cmd_name).strip()
        return click.Command(
            cmd_name, callback=_runner(cmd_name), params=settings_options(settings), help=summary
        )


@click.group(cls=_Sources, invoke_without_command=True)
@click.option(
    "--id", "camera_id", default="", help="The camera's id on the bus.  [default: the source's name]"
)
@broker_options
@click.pass_context
def camera(
    ctx: click.Context,
    camera_id: str,
    rig: Rig,
    broker: BrokerPlan,
) -> None:
    """Run one camera: `zbus camera sim --animals 5`, or one of a rig file by --rig and --id."""
    ctx.obj = (camera_id, broker)
    if ctx.invoked_subcommand is not None:
        return
    if not rig.cameras or not camera_id:
        raise click.UsageError(f"name a source ({', '.join(plugin_names('zbus.cameras'))}) or --rig and --id")
    _run(camera_id, find_camera(rig, camera_id), broker, rig.place)


def _runner(source: str) -> Any:
    def run(**values: Any) -> None:
        camera_id, broker = click.get_current_context().obj
        _run(camera_id or source, CameraPlan(source, given_settings(values)), broker, Flags())

    return run


def _run(camera_id: str, plan: CameraPlan, broker: BrokerPlan, place: Place) -> None:
    from zbus.nodes import run_camera

    run_node(lambda reactor: run_camera(camera_id, plan, broker, reactor, place))
