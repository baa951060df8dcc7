"""Keys of who connects: a pair of their own, and the public key of the rig that they expect."""

from __future__ import annotations

import re
import struct
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import zmq
from zmq.utils import z85

from zbus.config import BrokerPlan
from zbus.errors import KeysError
from zbus.transport._private_files import read_private

KEY_BYTES = 32

_Z85 = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What lets one client in: its `name`, its `public` and `secret` key, and the rig's public key `server`.

    Keys are 40 characters of Z85 each (ZeroMQ RFC 32). Raises KeysError for what is none.
    """

    name: str
    public: str
    secret: str = field(repr=False)
    server: str

    def __post_init__(self) -> None:
        for what in ("public", "secret", "server"):
            check_key(getattr(self, what), f"{what} of {self.name!r}")


def load_client_key(path: Path | str) -> ClientKey:
    """Read a client's key file. Raises KeysError, also where others can read the file."""
    path = Path(path)
    values = read_key_file(path)
    return ClientKey(**{each.name: _text(values, each.name, path) for each in fields(ClientKey)})


def key_of(broker: BrokerPlan) -> ClientKey | None:
    """The key with which this broker is spoken to, None where it has no lock. Raises KeysError."""
    return load_client_key(broker.key) if broker.key else None


def read_key_file(path: Path) -> dict[str, Any]:
    """The table of a key file. Raises KeysError."""
    try:
        return tomllib.loads(read_private(path))
    except FileNotFoundError:
        step = "carry it here from the rig, where this makes one: zbus keys new NAME"
        raise KeysError(f"there is no key file {path}", next_step=step) from None
    except (ValueError, RecursionError) as error:
        raise KeysError(
            f"{path} is not a key file: {error}", next_step="make a new one on the rig: zbus keys new NAME"
        ) from error


def check_key(text: str, what: str = "key") -> str:
    """`text` where it is a key: Z85 of 32 bytes. Raises KeysError."""
    try:
        if _Z85.fullmatch(text) and len(z85.decode(text)) == KEY_BYTES:
            return text
    except (ValueError, struct.error):
        pass
    raise KeysError(
        f"the {what} is not a key of 40 characters",
        next_step="copy the whole of it, in single quotes: zbus keys ls shows public keys",
    )


def use_key(socket: zmq.Socket[bytes], key: ClientKey | None) -> None:
    """Encrypt with `key` what this socket connects to from now on, or nothing where it is None."""
    if key is None:
        # Why: this is how libzmq goes back to a connection without keys.
        socket.setsockopt(zmq.CURVE_SERVER, 0)
        return
    socket.setsockopt(zmq.CURVE_PUBLICKEY, key.public.encode())
    socket.setsockopt(zmq.CURVE_SECRETKEY, key.secret.encode())
    socket.setsockopt(zmq.CURVE_SERVERKEY, key.server.encode())


def _text(values: dict[str, Any], name: str, path: Path) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        step = "make a new one on the rig: zbus keys new NAME"
        raise KeysError(f"{path} is not a client's key file: {name} is missing", next_step=step)
    return value
