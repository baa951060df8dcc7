"""Options that verbs share: where the broker is, which rig file, and settings of plug-ins."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import tomllib
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

import click

from zbus.cli._numbers import FiniteFloat, NumberOrText, WholeNumber, has_odd_number
from zbus.config import BrokerPlan, Rig, host_part, load_rig, read_settings
from zbus.errors import ConfigError
from zbus.transport import default_keys_folder, is_exposed

Command = Callable[..., Any]

NUMBERS = "a finite number, and a whole one up to 2**62"


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


HOST: dict[str, Any] = {
    "metavar": "NAME",
    "help": "Which host of the rig file this is, where it has several.",
}

_ADDRESSES = ("directory", "publish", "subscribe")

insecure_option = click.option(
    "--insecure", is_flag=True, help="Let other machines in, though nothing is locked."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def broker_options(command: Command) -> Command:
    """Add `--rig`, `--host` and the addresses; the command is given `rig: Rig` and `broker: BrokerPlan`.

    Without `--rig` the rig is an empty one. An address on the command line stands in place of the file's.
    """

    @functools.wraps(command)
    def with_broker(*args: Any, **values: Any) -> Any:
        rig, broker = chosen_broker()
        return command(*args, rig=rig, broker=broker, **values)

    wrapped: Command = with_broker
    for flags, attributes in reversed(_broker_options()):
        wrapped = click.option(*flags, **attributes)(wrapped)
    return wrapped


def broker_params() -> list[click.Parameter]:
    """`--rig`, `--host` and the addresses for a verb with sub-commands, which asks `chosen_broker`."""
    return [click.Option(flags, **attributes) for flags, attributes in _broker_options()]


def chosen_broker() -> tuple[Rig, BrokerPlan]:
    """The rig and the broker that `--rig` and the addresses name, before a sub-command or after it."""
    path = kept("rig_path")
    verb = f"{click.get_current_context().command_path} --rig {path}"
    rig = host_part(load_rig(path) if path else Rig(), kept("host"), verb=verb)
    given = {name: kept(name) for name in (*_ADDRESSES, "key") if kept(name)}
    broker = read_settings(BrokerPlan, {**asdict(rig.broker), **_at_the_edge(given), **given}, Flags())
    if not broker.key and is_exposed(broker.directory):
        broker = replace(broker, key=os.environ.get("ZBUS_KEY", ""))
    return rig, broker


def _at_the_edge(given: Mapping[str, str]) -> dict[str, str]:
    """Where another computer's edge is published to and subscribed from: at the ports after its control's."""
    match = re.fullmatch(r"(tcp://.+:)(\d{1,5})", given.get("directory", ""))
    if match is None or not (is_exposed(match[0]) or given.get("key")):
        return {}
    return {"publish": f"{match[1]}{int(match[2]) + 1}", "subscribe": f"{match[1]}{int(match[2]) + 2}"}


def kept_option(*flags: str, **attributes: Any) -> click.Option:
    """An option that may stand before a sub-command and after it; `kept` gives its last value."""
    return click.Option(flags, **_KEEPING, **attributes)


def kept(name: str) -> Any:
    """What an option of `kept_option` was given, or None."""
    return click.get_current_context().meta.get(f"zbus.{name}")


keys_option = click.option(
    "--keys",
    "keys",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FOLDER",
    help="The rig's keys.  [default: the rig file's, else $ZBUS_KEYS, else zbus/keys in your config]",
)


def keys_folder(keys: Path | None, rig: Rig) -> Path:
    """The keys folder that a command line, a rig file or the environment names."""
    return keys or (Path(rig.keys) if rig.keys else default_keys_folder())


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
        table = _parse(key.strip(), value.strip())
        if has_odd_number(table):
            raise ConfigError(f"is {value.strip()}", key=f"--set {key.strip()}", expected=NUMBERS)
        _merge(settings, table)
    return settings


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # Why in meta: a sub-command's context has that of its verb.
    if value is not None:
        ctx.meta[f"zbus.{param.name}"] = value


_KEEPING: dict[str, Any] = {"default": None, "expose_value": False, "callback": _keep}


def _broker_options() -> list[tuple[list[str], dict[str, Any]]]:
    """Flags and attributes of `--rig`, `--host` and the addresses."""
    text = "A rig file; its [broker] section counts."
    rig = (["--rig", "rig_path"], {"type": click.Path(path_type=Path), "help": text} | _KEEPING)
    text = "The key file that opens another computer's rig.  [default: $ZBUS_KEY, beyond this computer]"
    key = (["--key"], {"metavar": "FILE", "help": text} | _KEEPING)
    return [rig, (["--host"], HOST | _KEEPING), *map(_address_option, _ADDRESSES), key]


def _address_option(name: str) -> tuple[list[str], dict[str, Any]]:
    text = f"The broker's {name} address.  [default: {getattr(BrokerPlan(), name)}]"
    return [f"--{name}"], {"metavar": "ENDPOINT", "help": text} | _KEEPING


def _parse(key: str, value: str) -> dict[str, Any]:
    # Why: what is not a TOML value is taken for a text without quotes.
    with contextlib.suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(f"{key} = {value}")
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
    if hint in (str, bool):
        return hint
    if hint in (int, float):
        return WholeNumber() if hint is int else FiniteFloat()
    if typing.get_origin(hint) is typing.Literal:
        return click.Choice([str(choice) for choice in typing.get_args(hint)])
    return NumberOrText() if set(typing.get_args(hint)) == {int, str} else None
