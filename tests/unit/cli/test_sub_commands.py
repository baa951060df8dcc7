from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner

from zbus.cli import _sub_commands
from zbus.cli._options import broker_params, kept, kept_option
from zbus.cli._sub_commands import PluginGroup


@dataclass
class Settings:
    """A stranger's settings, one called like an option of the verb."""

    directory: str = ""


class Group(PluginGroup):
    plugins = "zbus.strangers"

    def make_command(self, name: str, plugin: Any) -> click.Command:
        return click.Command(name, callback=_show, params=self.options_for(plugin))


def _show(directory: str | None) -> None:
    click.echo(f"{directory} {kept('directory')} {kept('publish')} {kept('node')}")


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(_sub_commands, "plugin_names", lambda group: ["folder"])
    monkeypatch.setattr(_sub_commands, "load_plugin", lambda group, name: Settings)
    group = Group("x", params=[kept_option("--id", "node"), *broker_params()])
    return lambda *arguments: CliRunner().invoke(group, arguments)


def test_options_of_the_verb_stand_on_either_side(invoke: Any) -> None:
    assert invoke("--id", "a", "folder", "--publish", "p").output == "None None p a\n"
    assert invoke("--id", "a", "folder", "--id", "b").output == "None None None b\n"


def test_a_setting_called_like_one_of_them_is_the_setting_after_the_sub_command(invoke: Any) -> None:
    assert invoke("--directory", "d", "folder", "--directory", "pictures").output == "pictures d None None\n"


def test_what_there_is_is_listed(invoke: Any) -> None:
    told = invoke("fodler")
    assert (told.exit_code, told.output.splitlines()[-1]) == (
        2,
        "Error: No such command 'fodler'; there is: folder",
    )
