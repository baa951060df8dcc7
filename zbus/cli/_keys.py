"""`zbus keys`"""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from zbus.cli._options import Command, json_option, keys_folder, keys_option
from zbus.config import EDGE_PORT, EdgePlan, Rig, load_rig
from zbus.errors import ConfigError
from zbus.transport import VIEWER, AllowedKey, KeysFolder, Rights, default_keys_folder, load_client_key

_RIG = click.option(
    "--rig", "rig_path", type=click.Path(path_type=Path), default=None, help="A rig file; its keys count."
)


@click.group()
def keys() -> None:
    """Make and list the keys that let other computers in, and take them back.

    `zbus keys new laptop` makes a key file to carry to the laptop; with it the laptop comes in through the
    rig's edge (`zbus broker --bind tcp://0.0.0.0:5560`, or [edge] in a rig file).
    """


def _folder_options(command: Command) -> Command:
    """`--keys`, `--rig` and `--json`."""
    return keys_option(_RIG(json_option(command)))


def _rights_options(command: Command) -> Command:
    """The rights of a key; the command is given `rights`."""
    prefix: dict[str, Any] = {"multiple": True, "metavar": "PREFIX"}
    options: list[Callable[[Command], Command]] = [
        click.option("--publish", **prefix, help="Topics that it may publish, such as tracks/laptop/."),
        click.option("--subscribe", **prefix, help="Topics that it may hear, such as frame/cam1/."),
        click.option("--control", is_flag=True, help="It may configure and stop nodes."),
        click.option("--overlay", is_flag=True, help="It may draw."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@keys.command()
@click.argument("name", required=False)
@_rights_options
@_folder_options
def new(
    name: str | None,
    publish: tuple[str, ...],
    subscribe: tuple[str, ...],
    control: bool,
    overlay: bool,
    keys: Path | None,
    rig_path: Path | None,
    as_json: bool,
) -> None:
    """Make this rig's own key, and, with NAME, a key file for another computer.

    Without any of the rights below it may hear everything and draw; with any, just what they say. Prefixes
    end in '/'; '' is everything. A key that is there is never written over.
    """
    rights = _rights(publish, subscribe, control, overlay)
    rig = _rig(rig_path)
    folder = KeysFolder(keys_folder(keys, rig))
    is_new = folder.make_rig_key()
    path = folder.new_client(name, rights) if name else None
    if as_json:
        told = {"folder": str(folder.folder), "public": folder.rig_key().public, "made_rig_key": is_new}
        made = {} if path is None else {"name": name, "file": str(path), "key": load_client_key(path).public}
        click.echo(json.dumps({**told, **made, **(asdict(rights) if path else {})}))
        return
    state = "made" if is_new else "there already"
    click.echo(f"this rig's key is {state}: {folder.folder / 'rig.key'} (it stays here)")
    if path is None:
        click.echo("make one for another computer: zbus keys new NAME")
    else:
        _tell_new(path, rights, rig, _chosen(keys, rig_path, rig))


@keys.command()
@click.argument("name")
@click.argument("public")
@_rights_options
@_folder_options
def add(
    name: str,
    public: str,
    publish: tuple[str, ...],
    subscribe: tuple[str, ...],
    control: bool,
    overlay: bool,
    keys: Path | None,
    rig_path: Path | None,
    as_json: bool,
) -> None:
    """Let in a key that was made elsewhere, by its PUBLIC part; another rig's stands in its `zbus keys ls`.

    Without any of the rights below it may hear everything and draw; with any, just what they say.
    """
    rights = _rights(publish, subscribe, control, overlay)
    folder = KeysFolder(keys_folder(keys, _rig(rig_path)))
    folder.add(name, public, rights)
    if as_json:
        click.echo(json.dumps({"name": name, "key": public, **asdict(rights)}))
        return
    click.echo(f"{name} is let in: {_describe(rights)}")
    if folder.has_rig_key:
        click.echo(f"it has to know this rig by its public key: {folder.rig_key().public}")


@keys.command()
@_folder_options
def ls(keys: Path | None, rig_path: Path | None, as_json: bool) -> None:
    """List who is let in, by public keys; secrets are shown nowhere."""
    folder = KeysFolder(keys_folder(keys, _rig(rig_path)))
    public = folder.rig_key().public
    allowed = list(folder.allowed().values())
    if as_json:
        told = [{"name": key.name, "key": key.public, **asdict(key.rights)} for key in allowed]
        click.echo(json.dumps({"folder": str(folder.folder), "public": public, "allowed": told}))
        return
    click.echo(f"this rig  {public}  {folder.folder}")
    for key in allowed:
        _show(key)
    if not allowed:
        click.echo("nobody is let in yet; make a key: zbus keys new NAME")


@keys.command()
@click.argument("name")
@_folder_options
def revoke(name: str, keys: Path | None, rig_path: Path | None, as_json: bool) -> None:
    """Let a key in no more; where an edge runs, its connections end within a second."""
    gone = KeysFolder(keys_folder(keys, _rig(rig_path))).revoke(name)
    if as_json:
        click.echo(json.dumps({"name": gone.name, "key": gone.public}))
    else:
        click.echo(f"{gone.name} is let in no more; a running edge has dropped it within a second")


def _rig(path: Path | None) -> Rig:
    return load_rig(path) if path else Rig()


def _rights(publish: tuple[str, ...], subscribe: tuple[str, ...], control: bool, overlay: bool) -> Rights:
    """What was given, or where nothing was, what a viewer may."""
    if not (publish or subscribe or control or overlay):
        return VIEWER
    try:
        return Rights(publish, subscribe, control, overlay)
    except ValueError as error:
        key, _, cause = str(error).partition(" ")
        raise ConfigError(cause, key=f"--{key}") from error


def _chosen(keys: Path | None, rig_path: Path | None, rig: Rig) -> list[str]:
    """The options by which the edge finds this folder."""
    if keys:
        return ["--keys", str(keys)]
    return ["--rig", str(rig_path)] if rig_path and keys_folder(None, rig) != default_keys_folder() else []


def _tell_new(path: Path, rights: Rights, rig: Rig, options: list[str]) -> None:
    edge = rig.edge or EdgePlan(f"tcp://0.0.0.0:{EDGE_PORT}")
    port, here = edge.bind.rpartition(":")[2], socket.gethostname()
    click.echo(f"{path.stem} may {_describe(rights)}")
    click.echo(f"carry this file to {path.stem}, over a safe way, and keep it readable for its user alone:")
    click.echo(f"  scp {shlex.quote(str(path))} {path.stem}:")
    if rig.edge is None:
        click.echo("let it in, here (or by [edge] in a rig file):")
        click.echo(f"  {shlex.join(['zbus', 'broker', '--bind', edge.bind, *options])}")
    click.echo(f"and there (by address, where no name server knows {here}):")
    click.echo(f"  zbus tap --directory tcp://{here}:{port} --key {shlex.quote(path.name)}")


def _show(key: AllowedKey) -> None:
    click.echo(f"{key.name:<9} {key.public}  may {_describe(key.rights)}")


def _describe(rights: Rights) -> str:
    told = [_topics("hear", rights.subscribe), _topics("publish", rights.publish)]
    told += ["configure and stop nodes" if rights.control else "", "draw" if rights.overlay else ""]
    return ", ".join(filter(None, told)) or "ask what there is, and nothing else"


def _topics(verb: str, prefixes: tuple[str, ...]) -> str:
    if "" in prefixes:
        return f"{verb} everything"
    return f"{verb} {' '.join(prefixes)}" if prefixes else ""
