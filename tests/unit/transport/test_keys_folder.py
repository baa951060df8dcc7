import stat
from pathlib import Path

import pytest
import zmq

from zbus.errors import KeysError
from zbus.transport import VIEWER, KeysFolder, Rights, default_keys_folder, load_client_key


@pytest.fixture
def keys(tmp_path):
    folder = KeysFolder(tmp_path / "keys")
    assert folder.make_rig_key()
    return folder


def public():
    return zmq.curve_keypair()[0].decode()


def test_the_rigs_key_is_made_once(keys):
    first = keys.rig_key()
    assert not keys.make_rig_key()
    assert keys.rig_key() == first
    assert first.secret not in repr(first)


def test_everything_in_the_folder_is_for_its_owner_only(keys):
    keys.new_client("laptop", VIEWER)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"rig.key", "laptop.key", "allowed.toml"} <= set(modes)
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700


def test_a_client_gets_a_file_and_is_let_in(keys):
    rights = Rights(subscribe=("frame/cam1/",))
    key = load_client_key(keys.new_client("laptop", rights))
    entry = keys.allowed()["laptop"]
    assert (entry.public, entry.rights) == (key.public, rights)
    assert key.secret not in keys.allowed_path.read_text()
    assert key.server == keys.rig_key().public


def test_nothing_is_written_over(keys):
    path = keys.new_client("laptop", VIEWER)
    before = path.read_text()
    with pytest.raises(KeysError, match="there already"):
        keys.new_client("laptop", Rights())
    with pytest.raises(KeysError, match="there already"):
        keys.add("laptop", public(), Rights())
    assert path.read_text() == before
    assert keys.allowed()["laptop"].rights == VIEWER


def test_a_file_that_is_in_the_way_is_left_and_nobody_is_let_in(keys):
    (keys.folder / "laptop.key").write_text("mine")
    with pytest.raises(KeysError, match="there already"):
        keys.new_client("laptop", VIEWER)
    assert keys.allowed() == {}
    assert (keys.folder / "laptop.key").read_text() == "mine"


@pytest.mark.parametrize("name", ["rig", "", "../x", "a/b", ".x", "x" * 65, "a b", "a\n"])
def test_what_is_no_name(keys, name):
    with pytest.raises(KeysError):
        keys.new_client(name, VIEWER)
    with pytest.raises(KeysError):
        keys.add(name, public(), VIEWER)


def test_a_key_made_elsewhere_is_let_in_once(keys):
    theirs = public()
    keys.add("left", theirs, Rights(control=True))
    assert keys.allowed()["left"].public == theirs
    with pytest.raises(KeysError, match="already, as left"):
        keys.add("right", theirs, VIEWER)
    with pytest.raises(KeysError, match="40 characters"):
        keys.add("right", "short", VIEWER)


def test_who_is_revoked_is_out_and_its_file_gone(keys):
    path = keys.new_client("laptop", VIEWER)
    keys.add("left", public(), VIEWER)
    assert keys.revoke("laptop").name == "laptop"
    assert not path.exists()
    assert list(keys.allowed()) == ["left"]
    with pytest.raises(KeysError, match="allowed is: left"):
        keys.revoke("laptop")
    keys.new_client("laptop", VIEWER)


def test_a_folder_that_others_can_look_into_is_not_used(keys):
    keys.folder.chmod(0o755)
    for use in (keys.rig_key, keys.allowed, lambda: keys.revoke("x"), lambda: keys.new_client("x", VIEWER)):
        with pytest.raises(KeysError, match="by others"):
            use()


def test_without_a_rigs_key_the_error_says_how_to_make_it(tmp_path):
    with pytest.raises(KeysError) as refused:
        KeysFolder(tmp_path / "none").rig_key()
    assert "zbus keys new --keys" in refused.value.next_step


def test_the_rigs_pair_is_its_key_towards_other_rigs(keys):
    theirs = public()
    key = keys.rig_key().towards(theirs)
    assert (key.public, key.secret, key.server) == (keys.rig_key().public, keys.rig_key().secret, theirs)


def test_where_keys_are_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("ZBUS_KEYS", str(tmp_path))
    assert default_keys_folder() == tmp_path
    monkeypatch.delenv("ZBUS_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_keys_folder() == tmp_path / "zbus" / "keys"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_keys_folder() == tmp_path / ".config" / "zbus" / "keys"
