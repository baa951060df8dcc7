"""Files that only their owner may read: made so, replaced so, and refused where they are not."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Generator
from pathlib import Path

from zbus.errors import KeysError

FILE_MAX_BYTES = 1_048_576

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_LOCK = ".lock"


def make_private_folder(folder: Path) -> None:
    """Make the folder with mode 0700, or check the one that is there. Raises KeysError."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeysError(
            f"{folder} cannot be made: {error.strerror}", next_step="choose another folder: --keys FOLDER"
        ) from error
    check_private_folder(folder)


def check_private_folder(folder: Path) -> None:
    """Raises KeysError unless this is a folder of this user that nobody else can look into."""
    try:
        found = folder.stat()
    except OSError as error:
        step = f"make the rig's key: zbus keys new --keys {folder}"
        raise KeysError(f"there is no keys folder {folder}: {error.strerror}", next_step=step) from error
    if not stat.S_ISDIR(found.st_mode):
        raise KeysError(f"{folder} is not a folder", next_step="choose another one: --keys FOLDER")
    _check_mode(folder, found, "0700")


def read_private(path: Path) -> str:
    """The text of a file that nobody but this user can read. Raises KeysError, FileNotFoundError."""
    try:
        fd = os.open(path, os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        step = "put the file itself there, not a link to it" if path.is_symlink() else "choose another file"
        raise KeysError(f"{path} cannot be read: {error.strerror}", next_step=step) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise KeysError(f"{path} is not a file", next_step="name a key file, such as laptop.key")
        _check_mode(path, found, "0600")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(FILE_MAX_BYTES + 1)
    finally:
        os.close(fd)
    try:
        if len(data) > FILE_MAX_BYTES:
            raise ValueError
        return data.decode("utf-8")
    except ValueError:
        raise KeysError(f"{path} is not a key file", next_step="make one: zbus keys new NAME") from None


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, with mode 0600. Raises KeysError, FileExistsError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    except FileExistsError:
        raise
    except OSError as error:
        raise KeysError(
            f"{path} cannot be written: {error.strerror}", next_step="choose another folder: --keys FOLDER"
        ) from error
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(fd)
    except OSError as error:
        # Why: half a key file is none, and would be in the way of the next one.
        path.unlink(missing_ok=True)
        raise KeysError(f"{path} cannot be written: {error.strerror}", next_step="make room") from error
    _sync_folder(path.parent)


def replace_private(path: Path, text: str) -> None:
    """Put a new file in place of the old one: a reader sees one or the other, whole. Raises KeysError."""
    draft = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    write_new(draft, text)
    try:
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise KeysError(f"{path} cannot be replaced: {error.strerror}", next_step="remove it") from error
    _sync_folder(path.parent)


@contextlib.contextmanager
def held(folder: Path) -> Generator[None]:
    """While in `with`, no other process changes this folder. Blocks while one does. Raises KeysError."""
    import fcntl

    path = folder / _LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
    except OSError as error:
        raise KeysError(f"{path} cannot be opened: {error.strerror}", next_step=f"rm '{path}'") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _check_mode(path: Path, found: os.stat_result, wanted: str) -> None:
    if os.name != "posix":
        # Why: there the modes say nothing; the user's own folder is private by itself.
        return
    if found.st_uid not in (0, os.geteuid()) and os.geteuid():
        raise KeysError(f"{path} belongs to another user", next_step="use a keys folder of your own")
    if found.st_mode & _OTHERS:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        raise KeysError(
            f"{path} can be read or changed by others (mode {mode})", next_step=f"chmod {wanted} '{path}'"
        )


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
