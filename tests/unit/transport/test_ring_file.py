import errno
import os
import stat
import sys

import pytest

from zbus.errors import TransportError, WireError
from zbus.transport import _ring_file as ring_file_module
from zbus.transport import has_ring
from zbus.transport._processes import start_of
from zbus.transport._ring_file import free_bytes, make_ring_file, open_ring_file
from zbus.wire import encode_ring_header

GOOD = "zbus.cam1.00112233445566ff.ring"


@pytest.fixture
def made(tmp_path):
    return make_ring_file("cam1", 4, 1000, tmp_path)


def test_a_ring_is_private_whole_and_says_who_writes(made, tmp_path):
    found = (tmp_path / made.name).stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_size == made.header.file_bytes == 256 + 4 * (64 + 1024) + 64 * 1024
    assert found.st_blocks * 512 >= found.st_size
    assert (made.header.writer_pid, made.header.writer_start) == (os.getpid(), start_of(os.getpid()))


def test_rings_of_one_camera_have_names_and_generations_of_their_own(made, tmp_path):
    other = make_ring_file("cam1", 4, 1000, tmp_path)
    assert other.name != made.name
    assert other.header.generation != made.header.generation


def test_what_was_made_can_be_opened_and_not_written_to(made, tmp_path):
    opened = open_ring_file(made.name, made.header.generation, tmp_path)
    assert opened.header == made.header
    made.memory[100] = 7
    assert opened.memory[100] == 7
    with pytest.raises(TypeError):
        opened.memory[100] = 8


def test_another_generation_is_another_ring(made, tmp_path):
    with pytest.raises(OSError, match="another ring"):
        open_ring_file(made.name, made.header.generation + 1, tmp_path)


@pytest.mark.parametrize("name", ["../" + GOOD, "/etc/passwd", "zbus.ring", GOOD + "/", ""])
def test_no_name_leads_elsewhere(tmp_path, name):
    with pytest.raises(WireError, match="bad_ring_name"):
        open_ring_file(name, 1, tmp_path)


def test_neither_links_nor_pipes_nor_folders_are_opened(made, tmp_path):
    """S28: no link is followed, and nothing waits for somebody at the other end of a pipe."""
    (tmp_path / GOOD).symlink_to(tmp_path / made.name)
    with pytest.raises(OSError) as caught:
        open_ring_file(GOOD, made.header.generation, tmp_path)
    assert caught.value.errno == errno.ELOOP
    for make in (os.mkfifo, os.mkdir):
        (tmp_path / GOOD).unlink()
        make(tmp_path / GOOD)
        with pytest.raises(WireError, match="not a file"):
            open_ring_file(GOOD, 1, tmp_path)
        if make is os.mkdir:
            (tmp_path / GOOD).rmdir()


def test_another_users_ring_is_not_opened(made, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError):
        open_ring_file(made.name, made.header.generation, tmp_path)


def test_a_file_that_is_shorter_than_it_says_is_refused(made, tmp_path):
    """S28: all lengths are checked against the file, so that no read ends the process."""
    os.truncate(tmp_path / made.name, made.header.file_bytes - 1)
    with pytest.raises(WireError, match="size_mismatch"):
        open_ring_file(made.name, made.header.generation, tmp_path)


def test_what_is_not_a_ring_is_refused(made, tmp_path):
    (tmp_path / GOOD).write_bytes(b"\0" * 64 + encode_ring_header(made.header))
    with pytest.raises(WireError, match="bad_magic"):
        open_ring_file(GOOD, made.header.generation, tmp_path)


@pytest.mark.parametrize("failing", ["posix_fallocate", "pwrite"])
def test_a_full_folder_is_told_and_nothing_is_left(tmp_path, monkeypatch, failing):
    def refuse(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, refuse)
    with pytest.raises(TransportError, match="No space left") as caught:
        make_ring_file("cam1", 4, 1000, tmp_path)
    assert "ring_max_bytes" in caught.value.next_step
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path):
    for call in (lambda: make_ring_file("cam1", 4, 10, tmp_path / "no"), lambda: free_bytes(tmp_path / "no")):
        with pytest.raises(TransportError, match="No such file"):
            call()
    assert not has_ring(tmp_path / "no")


def test_where_rings_can_be(tmp_path, monkeypatch):
    assert has_ring(tmp_path)
    assert free_bytes(tmp_path) > 0
    monkeypatch.setattr(ring_file_module.sys, "byteorder", "big")
    assert not has_ring(tmp_path)
    monkeypatch.setattr(ring_file_module.sys, "byteorder", "little")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not has_ring(tmp_path)
