"""Names that a second process of this machine cannot steal, and the folder where they are."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import IO

import zmq

from zbus.errors import AddressInUse, TransportError
from zbus.wire import is_source_name

IPC_PATH_MAX_BYTES = 100


def runtime_dir(rig: str) -> Path:
    """The folder of this user's sockets and locks for one rig, made with mode 0700.

    Raises TransportError where somebody else owns it or has put a link in its place.
    """
    if not is_source_name(rig):
        raise TransportError(f"{rig!r} is not a name for a rig", next_step="use letters, digits, . _ -")
    given = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(given) if given else Path(tempfile.gettempdir()) / f"zbus-{_user()}"
    # Why: anybody may make a folder in the common temporary one before us, so that one is ours to check too.
    own = [base / "zbus", base / "zbus" / rig] if given else [base, base / "zbus", base / "zbus" / rig]
    for folder in own:
        _make_private(folder)
    return own[-1]


def has_ipc(folder: Path, name: str) -> bool:
    """True where this platform has ipc and the path is short enough for it."""
    fits = len(os.fsencode(folder / f"{name}.ipc")) <= IPC_PATH_MAX_BYTES
    return bool(zmq.has("ipc")) and os.name == "posix" and fits


class IpcName:
    """A name that one process of this machine holds at a time: `<folder>/<name>.ipc` behind a lock file.

    Why: a second bind of the same ipc path takes it from the first without an error, and leaves subscribers
    at a socket that nobody can reach any more.
    """

    def __init__(self, folder: Path, name: str) -> None:
        if not is_source_name(name):
            raise TransportError(f"{name!r} cannot name a socket", next_step="use letters, digits, . _ -")
        self.path = folder / f"{name}.ipc"
        self._lock_path = folder / f"{name}.lock"
        self._lock: IO[str] | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint to bind and to tell others."""
        return f"ipc://{self.path}"

    def acquire(self) -> None:
        """Take the name. Raises AddressInUse naming the process that has it, TransportError.

        TransportError names the folder where that is full or not there.
        """
        import fcntl

        if self._lock is not None:
            return
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read(32).strip()
            lock.close()
            step = f"stop process {holder} first, or give this one another name"
            raise AddressInUse(self.endpoint, next_step=step) from None
        self._sign(lock)
        self._lock = lock

    def is_held(self) -> bool:
        """True while some process has the name."""
        import fcntl

        if not self._lock_path.exists():
            return False
        with self._open_lock() as lock:
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

    def _sign(self, lock: IO[str]) -> None:
        """Write down who has the name."""
        try:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
        except OSError as error:
            # Why: closing writes what is left, and fails as well.
            with contextlib.suppress(OSError):
                lock.close()
            raise TransportError(
                f"{self._lock_path.parent} cannot be written to: {error.strerror}",
                next_step="make room there, or set XDG_RUNTIME_DIR to a folder with room",
            ) from error

    def _open_lock(self) -> IO[str]:
        try:
            return self._lock_path.open("a+")
        except OSError as error:
            raise TransportError(
                f"{self._lock_path}: {error.strerror}", next_step="make the folder, or choose another one"
            ) from error


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise TransportError(
            f"{folder}: {error.strerror}", next_step="set XDG_RUNTIME_DIR to a folder of yours"
        ) from error
    is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    if not stat.S_ISDIR(found.st_mode) or not is_own:
        raise TransportError(
            f"{folder} is a link or belongs to another user", next_step="set XDG_RUNTIME_DIR to your own"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
