from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from zbus.cli._options import (
    Flags,
    bind_option,
    broker_options,
    given_settings,
    parse_assignments,
    settings_options,
    warn_if_open,
)
from zbus.config import BrokerPlan, Rig
from zbus.errors import ConfigError


@click.command()
@broker_options
@bind_option("here", "WHERE")
def where(rig: Rig, broker: BrokerPlan, bind: str | None) -> None:
    click.echo(f"{rig.name} {broker.directory} {broker.publish} {bind}")


def test_an_address_on_the_command_line_stands_in_place_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('[broker]\ndirectory = "tcp://127.0.0.1:1"\npublish = "tcp://127.0.0.1:2"\n')
    invoke = CliRunner().invoke
    assert invoke(where, []).output == "rig tcp://127.0.0.1:5550 tcp://127.0.0.1:5551 None\n"
    told = invoke(where, ["--rig", str(path), "--publish", "tcp://127.0.0.1:9", "--bind", "x"])
    assert told.output == "lab tcp://127.0.0.1:1 tcp://127.0.0.1:9 x\n"


@pytest.mark.parametrize("name", ["directory", "publish", "subscribe"])
def test_an_address_that_is_none_is_told_by_its_option(name: str) -> None:
    result = CliRunner().invoke(where, [f"--{name}", "foo"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.key == f"--{name}"


@dataclass
class Settings:
    path: str
    count: int = 3
    invert: bool = False
    pace: Literal["slow", "fast"] = "slow"
    device: int | str = 0
    region: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["--path", "a"], {"path": "a"}),
        (["--path", "a", "--count", "4", "--no-invert"], {"path": "a", "count": 4, "invert": False}),
        (["--path", "a", "--pace", "fast", "--device", "7"], {"path": "a", "pace": "fast", "device": 7}),
        (["--path", "a", "--device", "/dev/video0"], {"path": "a", "device": "/dev/video0"}),
    ],
)
def test_settings_are_options(arguments: list[str], given: dict[str, Any]) -> None:
    taken: dict[str, Any] = {}
    command = click.Command(
        "x", callback=lambda **values: taken.update(values), params=settings_options(Settings)
    )
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert given_settings(taken) == given
    assert CliRunner().invoke(command, []).exit_code == 2


@pytest.mark.parametrize(
    ("assignments", "settings"),
    [
        (["a=1", "b = 2.5", "c=true"], {"a": 1, "b": 2.5, "c": True}),
        (["a=[1, 2]", 'b="x y"', "c=x y"], {"a": [1, 2], "b": "x y", "c": "x y"}),
        (["a.b=1", "a.c=two", "a.b=3"], {"a": {"b": 3, "c": "two"}}),
        (["a=", "b=x=y"], {"a": "", "b": "x=y"}),
    ],
)
def test_assignments_are_read_as_a_rig_file_would(assignments: list[str], settings: dict[str, Any]) -> None:
    assert parse_assignments(assignments) == settings


@pytest.mark.parametrize("assignment", ["a", "=1", " = 1", "a b=1", "a..b=1"])
def test_what_is_no_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(ConfigError):
        parse_assignments([assignment])


def test_errors_name_the_option() -> None:
    assert Flags().error("x", key="cameras.c.settings.jpeg_hz").key == "--jpeg-hz"
    assert Flags(["animals"]).error("x", key="trackers.t.settings.animals").key == "--animals"
    assert Flags(["animals"]).error("x", key="trackers.t.settings.a.b").key == "--set a.b"


def test_who_lets_strangers_in_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    warn_if_open(False)
    assert capsys.readouterr().err == ""
    warn_if_open(True)
    assert "nothing is locked" in capsys.readouterr().err


@click.command()
@broker_options
def which(rig: Rig, broker: BrokerPlan) -> None:
    click.echo(f"{broker.publish} {broker.subscribe} {broker.key or '-'}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--directory", "tcp://rig:5560"], "tcp://rig:5561 tcp://rig:5562 env.key"),
        (["--directory", "tcp://rig:5560", "--key", "x"], "tcp://rig:5561 tcp://rig:5562 x"),
        (
            ["--directory", "tcp://127.0.0.1:7000", "--key", "x"],
            "tcp://127.0.0.1:7001 tcp://127.0.0.1:7002 x",
        ),
        (["--directory", "tcp://127.0.0.1:7000"], "tcp://127.0.0.1:5551 tcp://127.0.0.1:5552 -"),
        (["--directory", "tcp://rig:5560", "--publish", "tcp://p:1"], "tcp://p:1 tcp://rig:5562 env.key"),
        ([], "tcp://127.0.0.1:5551 tcp://127.0.0.1:5552 -"),
    ],
)
def test_another_computers_edge_is_named_by_one_address(
    arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZBUS_KEY", "env.key")
    assert CliRunner().invoke(which, arguments).output == f"{told}\n"
