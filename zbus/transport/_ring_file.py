"""The files of rings: where they are, how one is made, and what is believed of one that was found."""

from __future__ import annotations

import errno
import mmap
import os
import secrets
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from zbus.errors import TransportError, WireError
from zbus.transport._bell import has_bell
from zbus.transport._processes import start_of
from zbus.wire import (
    RING_ENTRIES_MIN,
    RING_ENTRY_BYTES,
    RING_HEADER_BYTES,
    RingHeader,
    check_ring_name,
    decode_ring_header,
    encode_ring_header,
    ring_name,
    slot_stride,
)

SHARED_MEMORY = Path("/dev", "shm")
GENERATION_BITS = 62


@dataclass(frozen=True, slots=True)
class RingFile:
    """A ring's file name, its header, and its memory."""

    name: str
    header: RingHeader
    memory: mmap.mmap


def has_ring(folder: Path | None = None) -> bool:
    """True where this machine can have rings: Linux, little-endian, with a folder of shared memory."""
    folder = folder or SHARED_MEMORY
    return sys.platform == "linux" and sys.byteorder == "little" and os.access(folder, os.W_OK | os.X_OK)


def free_bytes(folder: Path | None = None) -> int:
    """How much room shared memory has left. Raises TransportError."""
    try:
        found = os.statvfs(folder or SHARED_MEMORY)
    except OSError as error:
        raise _no_room(folder or SHARED_MEMORY, 0, error) from error
    return found.f_bavail * found.f_frsize


def make_ring_file(camera: str, slots: int, payload_max: int, folder: Path | None = None) -> RingFile:
    """Make a ring of this user's, all of its memory taken, and locked until it is closed.

    Raises TransportError where there is no room or no folder; nothing is left behind then.
    """
    folder = folder or SHARED_MEMORY
    name = ring_name(camera, secrets.token_hex(8))
    path, pid = folder / name, os.getpid()
    generation = secrets.randbits(GENERATION_BITS) + 1
    header = RingHeader(
        generation,
        slots,
        slot_stride(payload_max),
        payload_max,
        pid,
        start_of(pid) or 0,
        # Why as many as slots: a reader falls behind the slots then, and not behind the board.
        board_entries=max(RING_ENTRIES_MIN, slots) if has_bell() else 0,
        board_entry_bytes=RING_ENTRY_BYTES,
    )
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _no_room(folder, header.file_bytes, error) from error
    try:
        memory = _take(descriptor, header)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _no_room(folder, header.file_bytes, error) from error
    finally:
        # Why already: the memory has a descriptor of its own, which keeps the lock.
        os.close(descriptor)
    return RingFile(name, header, memory)


def open_ring_file(name: str, generation: int, folder: Path | None = None) -> RingFile:
    """Map a ring read-only. Raises WireError for one that is not what it must be, OSError for one not there.

    Only files of this user in the folder of shared memory are opened, whatever the name says, and no link.
    """
    # Why not blocking: a pipe of that name would hold up who opens it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open((folder or SHARED_MEMORY) / check_ring_name(name), flags)
    try:
        header = read_ring_header(descriptor)
        if header.generation != generation:
            raise FileNotFoundError(errno.ENOENT, "another ring has this name by now", name)
        memory = mmap.mmap(descriptor, header.file_bytes, mmap.MAP_SHARED, mmap.PROT_READ)
    finally:
        os.close(descriptor)
    return RingFile(name, header, memory)


def read_ring_header(descriptor: int) -> RingHeader:
    """The checked header of an open file. Raises WireError, OSError."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise WireError("bad_ring_name", "not a file")
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "the ring belongs to another user")
    return decode_ring_header(os.pread(descriptor, RING_HEADER_BYTES, 0), found.st_size)


def _take(descriptor: int, header: RingHeader) -> mmap.mmap:
    import fcntl

    # Why in this order: whoever sweeps must never find a file without lock or without owner.
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(descriptor, encode_ring_header(header), 0)
    # Why not just a length: memory that is promised and not there ends the process when it is written to.
    os.posix_fallocate(descriptor, 0, header.file_bytes)
    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
    return mmap.mmap(descriptor, header.file_bytes, flags, mmap.PROT_READ | mmap.PROT_WRITE)


def _no_room(folder: Path, nbytes: int, error: OSError) -> TransportError:
    return TransportError(
        f"no ring of {nbytes / 1e6:.1f} MB in {folder}: {error.strerror}",
        next_step=f"make room there (df -h {folder}), or lower ring_max_bytes",
    )
