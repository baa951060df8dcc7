import os
import stat
import threading

import pytest

from zbus.errors import KeysError
from zbus.transport._private_files import (
    check_private_folder,
    held,
    make_private_folder,
    read_private,
    replace_private,
    write_new,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "a" / "keys"
    make_private_folder(made)
    return made


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_and_files_are_for_their_owner_whatever_the_umask_says(tmp_path):
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "keys")
        write_new(tmp_path / "keys" / "a.key", "text")
        replace_private(tmp_path / "keys" / "b.toml", "text")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "keys") == 0o700
    assert mode_of(tmp_path / "keys" / "a.key") == mode_of(tmp_path / "keys" / "b.toml") == 0o600


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o750, 0o720, 0o777])
def test_a_folder_that_others_can_look_into_is_refused(folder, mode):
    folder.chmod(mode)
    with pytest.raises(KeysError) as refused:
        check_private_folder(folder)
    assert refused.value.next_step == f"chmod 0700 '{folder}'"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(folder, mode):
    path = folder / "a.key"
    write_new(path, "text")
    path.chmod(mode)
    with pytest.raises(KeysError) as refused:
        read_private(path)
    assert refused.value.next_step == f"chmod 0600 '{path}'"


def test_what_was_written_is_read(folder):
    write_new(folder / "a.key", "text of ä")
    assert read_private(folder / "a.key") == "text of ä"


def test_nothing_is_written_over_what_is_there(folder):
    write_new(folder / "a.key", "first")
    with pytest.raises(FileExistsError):
        write_new(folder / "a.key", "second")
    assert read_private(folder / "a.key") == "first"


def test_a_link_is_neither_read_nor_written_through(folder, tmp_path):
    target = tmp_path / "elsewhere"
    write_new(target, "secret of somebody")
    (folder / "a.key").symlink_to(target)
    with pytest.raises(KeysError, match="cannot be read"):
        read_private(folder / "a.key")
    (folder / "b.key").symlink_to(tmp_path / "not there")
    with pytest.raises(FileExistsError):
        write_new(folder / "b.key", "text")
    assert not (tmp_path / "not there").exists()


def test_replacing_takes_the_place_of_a_link_and_does_not_follow_it(folder, tmp_path):
    target = tmp_path / "elsewhere"
    target.write_text("mine")
    (folder / "allowed.toml").symlink_to(target)
    replace_private(folder / "allowed.toml", "new")
    assert target.read_text() == "mine"
    assert read_private(folder / "allowed.toml") == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["allowed.toml"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a" * 2_000_000])
def test_what_is_no_text_of_a_key_file_is_an_error(folder, data):
    write_new(folder / "a.key", "")
    (folder / "a.key").write_bytes(data)
    with pytest.raises(KeysError, match="is not a key file"):
        read_private(folder / "a.key")


def test_a_folder_or_a_pipe_is_not_a_file(folder):
    (folder / "a.key").mkdir(mode=0o700)
    os.mkfifo(folder / "b.key", 0o600)
    for name in ("a.key", "b.key"):
        with pytest.raises(KeysError):
            read_private(folder / name)


def test_one_that_is_not_there_is_told_as_such(folder, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_private(folder / "none.key")
    with pytest.raises(KeysError, match="there is no keys folder"):
        check_private_folder(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysError):
        make_private_folder(tmp_path / "file")


def test_who_changes_the_folder_is_alone(folder):
    order = []
    inside = threading.Event()

    def change():
        with held(folder):
            inside.set()
            order.append("second")

    with held(folder):
        thread = threading.Thread(target=change)
        thread.start()
        assert not inside.wait(0.1)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]


def test_a_lock_that_is_a_link_is_refused(folder, tmp_path):
    (folder / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysError, match="lock cannot be opened"), held(folder):
        pass
    assert not (tmp_path / "elsewhere").exists()
