"""The keys of one rig: its own pair, and who is let in, in a folder that nobody else can read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from zbus.config import write_toml
from zbus.errors import KeysError
from zbus.transport._allowed import KEYS_MAX, AllowedKey, Rights, read_allowed, write_allowed
from zbus.transport._client_key import ClientKey, check_key, read_key_file
from zbus.transport._private_files import (
    check_private_folder,
    held,
    make_private_folder,
    read_private,
    replace_private,
    write_new,
)
from zbus.wire import is_source_name

RIG = "rig"
ALLOWED_FILE = "allowed.toml"

_RIG_HEAD = "# The key of this rig. It stays here: who has it can pretend to be the rig.\n\n"
_CLIENT_HEAD = (
    "# A key that opens a rig. Carry it over a safe way (scp, a stick), and keep it with mode 0600.\n\n"
)


@dataclass(frozen=True, slots=True)
class RigKey:
    """A rig's own pair: its server key, and its client key towards other rigs."""

    public: str
    secret: str = field(repr=False)

    def towards(self, server: str) -> ClientKey:
        """This pair as the key of a client of another rig, whose public key is `server`."""
        return ClientKey(RIG, self.public, self.secret, server)


class KeysFolder:
    """The files of one keys folder. Reading and writing block; changing one holds a lock on the folder."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.allowed_path = self.folder / ALLOWED_FILE

    @property
    def has_rig_key(self) -> bool:
        """True where the rig's key was made."""
        return self._key_path(RIG).exists()

    def rig_key(self) -> RigKey:
        """The rig's pair. Raises KeysError where there is none, or others can read it."""
        if not self.has_rig_key:
            step = f"make it: zbus keys new --keys '{self.folder}'"
            raise KeysError(f"{self.folder} has no key of this rig", next_step=step)
        check_private_folder(self.folder)
        path = self._key_path(RIG)
        values = read_key_file(path)
        public, secret = str(values.get("public")), str(values.get("secret"))
        return RigKey(check_key(public, f"public key of {path}"), check_key(secret, f"secret key of {path}"))

    def allowed(self) -> dict[str, AllowedKey]:
        """Who is let in, by name; nobody where no one was allowed yet. Raises KeysError."""
        try:
            check_private_folder(self.folder)
            return read_allowed(read_private(self.allowed_path), self.allowed_path)
        except FileNotFoundError:
            return {}

    def make_rig_key(self) -> bool:
        """Make the rig's pair where there is none; True where it was made. Raises KeysError."""
        make_private_folder(self.folder)
        with held(self.folder):
            if self.has_rig_key:
                self.rig_key()
                return False
            public, secret = _make_pair()
            write_new(self._key_path(RIG), _RIG_HEAD + write_toml({"public": public, "secret": secret}))
        return True

    def new_client(self, name: str, rights: Rights) -> Path:
        """Make a client's key file `<name>.key` and let it in. Raises KeysError, also where it is there."""
        server = self.rig_key().public
        path = self._key_path(_check_name(name))
        with held(self.folder):
            keys = self._with_room_for(name)
            public, secret = _make_pair()
            values = {"name": name, "public": public, "secret": secret, "server": server}
            try:
                write_new(path, _CLIENT_HEAD + write_toml(values))
            except FileExistsError:
                raise KeysError(f"{path} is there already", next_step=_other_name(name)) from None
            self._write({**keys, name: AllowedKey(name, public, rights)})
        return path

    def add(self, name: str, public: str, rights: Rights) -> None:
        """Let in the key with this public part. Raises KeysError, also where the name is taken."""
        check_key(public, f"public key of {name!r}")
        make_private_folder(self.folder)
        with held(self.folder):
            keys = self._with_room_for(_check_name(name))
            twin = next((key.name for key in keys.values() if key.public == public), "")
            if twin:
                raise KeysError(
                    f"this key is let in already, as {twin}", next_step=f"zbus keys revoke {twin}"
                )
            self._write({**keys, name: AllowedKey(name, public, rights)})

    def revoke(self, name: str) -> AllowedKey:
        """Let this key in no more, and remove its file where it is here. Raises KeysError."""
        with held(self._checked()):
            keys = self.allowed()
            if name not in keys:
                known = ", ".join(sorted(keys)) or "nobody"
                raise KeysError(f"no key is called {name!r}; allowed is: {known}", next_step="zbus keys ls")
            gone = keys.pop(name)
            self._write(keys)
            # Why: what opens nothing any more is in the way of a new key of that name.
            self._key_path(name).unlink(missing_ok=True)
        return gone

    def _with_room_for(self, name: str) -> dict[str, AllowedKey]:
        keys = self.allowed()
        if name in keys:
            raise KeysError(f"a key called {name!r} is there already", next_step=_other_name(name))
        if len(keys) >= KEYS_MAX:
            raise KeysError(f"{KEYS_MAX} keys are allowed already", next_step="zbus keys revoke NAME")
        return keys

    def _write(self, keys: dict[str, AllowedKey]) -> None:
        replace_private(self.allowed_path, write_allowed(keys))

    def _checked(self) -> Path:
        check_private_folder(self.folder)
        return self.folder

    def _key_path(self, name: str) -> Path:
        return self.folder / f"{name}.key"


def default_keys_folder() -> Path:
    """Where a rig's keys are if nothing else is said: $ZBUS_KEYS, else zbus/keys in the user's config."""
    given = os.environ.get("ZBUS_KEYS")
    if given:
        return Path(given)
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "zbus" / "keys"


def _make_pair() -> tuple[str, str]:
    if not zmq.has("curve"):
        raise KeysError("this libzmq cannot encrypt", next_step="pip install --upgrade pyzmq")
    while True:
        public, secret = (part.decode() for part in zmq.curve_keypair())
        # Why: a command would take such a key for an option.
        if not public.startswith("-"):
            return public, secret


def _check_name(name: str) -> str:
    if not is_source_name(name) or name == RIG:
        cause = f"{name!r} is the rig's own" if name == RIG else f"{name!r} is not a name for a key"
        raise KeysError(cause, next_step="use letters, digits, '.', '_' and '-', a letter or digit first")
    return name


def _other_name(name: str) -> str:
    return f"choose another name, or take that one back first: zbus keys revoke {name}"
