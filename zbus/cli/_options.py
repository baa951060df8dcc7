"""Options that verbs share: where the broker is, which rig file, and settings of plug-ins."""

from __future__ import annotations

import functools
import tomllib
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import click

from zbus.config import BrokerPlan, Rig, load_rig, read_settings
from zbus.errors import ConfigError

Command = Callable[..., Any]


class Flags:
    """The place of settings given on the command line: errors name the option.

    `named` are those that have an option of their own; the others are given by `--set`, or all have one
    where `named` is None.
    """

    def __init__(self, named: Collection[str] | None = None) -> None:
        self._named = named

    def error(self, cause: str, *, key: str, expected: str = "", next_step: str = "") -> ConfigError:
        """An error that names the option of `key`, which is written as in a rig file."""
        name = key.partition(".settings.")[2] or key
        has_flag = self._named is None or name in self._named
        flag = f"--{name.replace('_', '-')}" if has_flag else f"--set {name}"
        return ConfigError(cause, key=flag, expected=expected, next_step=next_step)


_ADDRESSES = ("directory", "publish", "subscribe")

rig_option = click.option(
    "--rig", "rig_path", type=click.Path(path_type=Path), help="A rig file; its [broker] section counts."
)
insecure_option = click.option(
    "--insecure", is_flag=True, help="Let other machines in, though nothing is locked."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def broker_options(command: Command) -> Command:
    """Add `--rig` and the broker's addresses; the command is given `rig: Rig` and `broker: BrokerPlan`.

    Without `--rig` the rig is an empty one. An address on the command line stands in place of the file's.
    """

    @functools.wraps(command)
    def with_broker(*args: Any, rig_path: Path | None, **values: Any) -> Any:
        rig = load_rig(rig_path) if rig_path else Rig()
        addresses = {name: values.pop(name) for name in _ADDRESSES}
        given = {name: address for name, address in addresses.items() if address}
        return command(*args, rig=rig, broker=_plan_broker(rig.broker, given), **values)

    wrapped: Command = with_broker
    for name in reversed(_ADDRESSES):
        text = f"The broker's {name} address.  [default: {getattr(BrokerPlan(), name)}]"
        wrapped = click.option(f"--{name}", default=None, metavar="ENDPOINT", help=text)(wrapped)
    return rig_option(wrapped)


def bind_option(default: str, metavar: str) -> Callable[[Command], Command]:
    """`--bind`, where a node listens."""
    return click.option(
        "--bind", default=None, metavar=metavar, help=f"Where it listens.  [default: {default}]"
    )


def warn_if_open(insecure: bool) -> None:
    """Say on stderr that nothing keeps strangers out."""
    if insecure:
        text = "warning: nothing is locked here; whoever reaches this machine may read and write"
        click.secho(text, fg="red", err=True)


def settings_options(cls: type[Any]) -> list[click.Parameter]:
    """One option for each setting of a plug-in that has a plain type; None where it was not given."""
    hints = typing.get_type_hints(cls)
    options = (_option(field, hints[field.name]) for field in fields(cls) if field.init)
    return [option for option in options if option is not None]


def given_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only the settings that somebody gave."""
    return {name: value for name, value in values.items() if value is not None}


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Settings written as `key=value`: dots for tables, values as in a rig file, texts without quotes too.

    Raises ConfigError naming the one that is wrong.
    """
    settings: dict[str, Any] = {}
    for assignment in assignments:
        key, found, value = assignment.partition("=")
        if not found or not key.strip():
            raise ConfigError(f"{assignment!r} is not a setting", expected="key=value")
        _merge(settings, _parse(key.strip(), value.strip()))
    return settings


def _plan_broker(planned: BrokerPlan, given: Mapping[str, str]) -> BrokerPlan:
    return read_settings(BrokerPlan, {**asdict(planned), **given}, Flags())


def _parse(key: str, value: str) -> dict[str, Any]:
    try:
        return tomllib.loads(f"{key} = {value}")
    except tomllib.TOMLDecodeError:
        pass  # Why: not a TOML value, so it is taken for a text without quotes.
    try:
        table = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{key!r} is not a key: {error}", expected="letters, digits, '_' and dots"
        ) from error
    *path, last = key.split(".")
    here = table
    for part in path:
        here = here[part]
    here[last] = value
    return table


def _merge(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _option(field: Any, hint: Any) -> click.Option | None:
    kind = _click_type(hint)
    if kind is None:
        return None
    flag = f"--{field.name.replace('_', '-')}"
    required = field.default is MISSING and field.default_factory is MISSING
    default = "" if required or field.default in ("", MISSING) else f"  [default: {field.default}]"
    text = field.metadata.get("help", "") + default
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", field.name], default=None, help=text)
    if required:
        # Why without a default: the newest click takes None for one, and the option for given.
        return click.Option([flag, field.name], type=kind, required=True, help=text)
    return click.Option([flag, field.name], type=kind, default=None, help=text)


def _click_type(hint: Any) -> Any:
    if hint in (str, int, float, bool):
        return hint
    if typing.get_origin(hint) is typing.Literal:
        return click.Choice([str(choice) for choice in typing.get_args(hint)])
    return _NumberOrText() if set(typing.get_args(hint)) == {int, str} else None


class _NumberOrText(click.ParamType):
    name = "number|text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return int(value) if value.isdecimal() else value
