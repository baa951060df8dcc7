"""Endpoints: where a socket may bind, and names that a second process cannot steal."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import IO, cast

import zmq

from zbus.errors import AddressInUse, ExposedAddress, TransportError

IPC_PATH_MAX_BYTES = 100

_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[^:/\s]+):(\d{1,5}|\*)")


def check_endpoint(endpoint: str) -> str:
    """`endpoint` where it has the form of one. Raises TransportError saying what is wrong with it."""
    if endpoint.startswith(("ipc://", "inproc://")) and len(endpoint.split("://", 1)[1]) > 0:
        return endpoint
    match = _TCP.fullmatch(endpoint)
    if match is None or (match[2] != "*" and int(match[2]) > 65_535):
        raise TransportError(
            f"{endpoint!r} is not an endpoint", next_step="write it like tcp://127.0.0.1:5550 or ipc:///path"
        )
    return endpoint


def is_exposed(endpoint: str) -> bool:
    """True where another machine could reach `endpoint`."""
    match = _TCP.fullmatch(endpoint)
    if match is None:
        return False
    host = match[1].strip("[]")
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def bind(socket: zmq.Socket[bytes], endpoint: str, *, insecure: bool = False) -> str:
    """Bind and return the endpoint with the port that was taken (port 0 takes any free one).

    Raises ExposedAddress for an address beyond loopback unless `insecure`, AddressInUse, TransportError.
    """
    wanted = re.sub(r":0$", ":*", check_endpoint(endpoint).replace("//localhost:", "//127.0.0.1:"))
    if is_exposed(wanted) and not insecure:
        raise ExposedAddress(
            f"{endpoint} can be reached from other machines, and nothing locks it",
            next_step="bind 127.0.0.1, or say --insecure if everyone on this network may read and write",
        )
    try:
        socket.bind(wanted)
    except zmq.ZMQError as error:
        raise _bind_error(endpoint, error) from error
    return cast(bytes, socket.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()


def runtime_dir(rig: str) -> Path:
    """The folder of this user's sockets and locks for one rig, made with mode 0700.

    Raises TransportError where somebody else owns it or others may look inside.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or str(Path(tempfile.gettempdir()) / f"zbus-{_user()}")
    folder = Path(base) / "zbus" / rig
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in (folder.parent, folder):
        found = place.stat()
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            raise TransportError(
                f"{place} belongs to another user", next_step="set XDG_RUNTIME_DIR to your own"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            place.chmod(0o700)
    return folder


class IpcName:
    """A name that one process of this machine holds at a time: `<folder>/<name>.ipc` behind a lock file.

    Why: a second bind of the same ipc path takes it from the first without an error, and leaves subscribers
    at a socket that nobody can reach any more.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.ipc"
        self._lock_path = folder / f"{name}.lock"
        self._lock: IO[str] | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint to bind and to tell others."""
        return f"ipc://{self.path}"

    def acquire(self) -> None:
        """Take the name. Raises AddressInUse naming the process that has it."""
        import fcntl

        lock = self._lock_path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read(32).strip()
            lock.close()
            step = f"stop process {holder} first, or give this one another name"
            raise AddressInUse(self.endpoint, next_step=step) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def is_held(self) -> bool:
        """True while some process has the name."""
        import fcntl

        if not self._lock_path.exists():
            return False
        with self._lock_path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def release(self) -> None:
        """Give the name back and remove its socket file. Safe to call twice."""
        if self._lock is None:
            return
        self.path.unlink(missing_ok=True)
        self._lock.close()
        self._lock = None


def has_ipc(folder: Path, name: str) -> bool:
    """True where this platform has ipc and the path is short enough for it."""
    fits = len(os.fsencode(folder / f"{name}.ipc")) <= IPC_PATH_MAX_BYTES
    return bool(zmq.has("ipc")) and os.name == "posix" and fits


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _bind_error(endpoint: str, error: zmq.ZMQError) -> TransportError:
    if error.errno == errno.EADDRINUSE:
        port = endpoint.rsplit(":", 1)[-1]
        return AddressInUse(
            endpoint, next_step=f"choose another port, or see who has it: ss -ltnp 'sport = :{port}'"
        )
    if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL):
        return TransportError(f"{endpoint}: this machine has no such address", next_step="see: ip address")
    return TransportError(f"{endpoint}: {error.strerror}", next_step="bind tcp://127.0.0.1 with a free port")
