"""Verbs with a sub-command for each plug-in, whose options are the plug-in's settings."""

from __future__ import annotations

from typing import Any, ClassVar

import click

from zbus.cli._options import settings_options
from zbus.plugins import load_plugin, plugin_names


class PluginGroup(click.Group):
    """One sub-command for each plug-in of `plugins`.

    Options of the verb may stand after the sub-command too, but for those that a setting is called like.
    """

    plugins: ClassVar[str]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return plugin_names(self.plugins)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        return self.make_command(cmd_name, load_plugin(self.plugins, cmd_name))

    def make_command(self, name: str, plugin: Any) -> click.Command:
        """The sub-command of one plug-in."""
        raise NotImplementedError

    def options_for(self, settings: type[Any]) -> list[click.Parameter]:
        """The settings as options, and those of the verb."""
        own = settings_options(settings)
        taken = {flag for option in own for flag in option.opts}
        shared = [each for each in self.params if not each.expose_value and taken.isdisjoint(each.opts)]
        return own + shared

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known:
            ctx.fail(f"No such command {args[0]!r}; there is: {', '.join(known) or 'none'}")
        return super().resolve_command(ctx, args)
