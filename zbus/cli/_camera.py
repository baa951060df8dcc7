"""`zbus camera`"""

from __future__ import annotations

from typing import Any

import click

from zbus.cli._node import run_node
from zbus.cli._options import Flags, broker_params, chosen_broker, given_settings, kept, kept_option
from zbus.cli._sub_commands import PluginGroup
from zbus.config import BrokerPlan, CameraPlan, Place, find_camera
from zbus.plugins import plugin_names


class _Sources(PluginGroup):
    plugins = "zbus.cameras"

    def make_command(self, name: str, plugin: Any) -> click.Command:
        summary = (plugin.Settings.__doc__ or name).strip()
        return click.Command(
            name, callback=_runner(name), params=self.options_for(plugin.Settings), help=summary
        )


_ID = kept_option("--id", "camera_id", help="The camera's id on the bus.  [default: the source's name]")


@click.group(cls=_Sources, invoke_without_command=True, params=[_ID, *broker_params()])
@click.pass_context
def camera(ctx: click.Context) -> None:
    """Run one camera: `zbus camera sim --id cam1 --animals 5`, or one of a rig file by --rig and --id.

    Options of this page may stand before the source or after it.
    """
    if ctx.invoked_subcommand is not None:
        return
    rig, broker = chosen_broker()
    camera_id = kept("camera_id")
    if not rig.cameras or not camera_id:
        raise click.UsageError(f"name a source ({', '.join(plugin_names('zbus.cameras'))}) or --rig and --id")
    _run(camera_id, find_camera(rig, camera_id), broker, rig.place)


def _runner(source: str) -> Any:
    def run(**values: Any) -> None:
        _, broker = chosen_broker()
        _run(kept("camera_id") or source, CameraPlan(source, given_settings(values)), broker, Flags())

    return run


def _run(camera_id: str, plan: CameraPlan, broker: BrokerPlan, place: Place) -> None:
    from zbus.nodes import run_camera

    run_node(lambda reactor: run_camera(camera_id, plan, broker, reactor, place))
