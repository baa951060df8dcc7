from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import zmq

from zbus.transport import KeysFolder, load_client_key


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZBUS_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


def secrets_of(folder: Path) -> list[str]:
    return [KeysFolder(folder).rig_key().secret, *(load_client_key(p).secret for p in folder.glob("l*.key"))]


def test_the_first_call_makes_the_rigs_key_and_the_next_leaves_it(run: Any, folder: Path) -> None:
    assert "is made" in run("keys", "new").output
    before = KeysFolder(folder).rig_key()
    told = run("keys", "new").output
    assert "there already" in told
    assert "zbus keys new NAME" in told
    assert KeysFolder(folder).rig_key() == before


def test_a_new_key_says_what_it_may_what_to_carry_and_what_to_type_there(run: Any, folder: Path) -> None:
    told = run("keys", "new", "laptop").output
    assert "laptop may hear everything, draw" in told
    assert f"scp {shlex.quote(str(folder / 'laptop.key'))} laptop:" in told
    assert "zbus broker --bind tcp://0.0.0.0:5560\n" in told
    assert "--key laptop.key" in told
    assert not [secret for secret in secrets_of(folder) if secret in told]


def test_the_command_for_the_edge_names_the_folder_where_it_is_another(run: Any, tmp_path: Path) -> None:
    told = run("keys", "new", "laptop", "--keys", str(tmp_path / "other")).output
    assert f"zbus broker --bind tcp://0.0.0.0:5560 --keys {tmp_path / 'other'}" in told


def test_a_rig_files_keys_and_edge_count(run: Any, tmp_path: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text('[rig]\nkeys = "mine"\n[edge]\nbind = "tcp://0.0.0.0:6000"\n')
    told = run("keys", "new", "laptop", "--rig", str(rig)).output
    assert str(tmp_path / "mine" / "laptop.key") in told
    assert ":6000 --key laptop.key" in told
    assert "zbus broker" not in told


def test_rights_are_just_what_is_said(run: Any, folder: Path) -> None:
    run("keys", "new", "t1", "--publish", "tracks/t1/", "--publish", "state/t1/", "--control")
    rights = KeysFolder(folder).allowed()["t1"].rights
    assert (rights.publish, rights.subscribe) == (("tracks/t1/", "state/t1/"), ())
    assert (rights.control, rights.overlay) == (True, False)
    assert "publish tracks/t1/ state/t1/, configure and stop nodes" in run("keys", "ls").output


def test_a_prefix_that_would_match_another_source_is_refused(fail: Any, folder: Path) -> None:
    told = fail("keys", "new", "t1", "--subscribe", "frame/cam1", ends_with=3)
    assert "--subscribe" in told["cause"]
    assert "frame/cam1/" in told["cause"]
    assert not folder.exists()


def test_nothing_is_written_over(run: Any, fail: Any, folder: Path) -> None:
    run("keys", "new", "laptop")
    before = (folder / "laptop.key").read_bytes()
    told = fail("keys", "new", "laptop", ends_with=3)
    assert told["code"] == "bad_keys"
    assert "zbus keys revoke laptop" in told["next_step"]
    assert (folder / "laptop.key").read_bytes() == before


def test_a_key_from_elsewhere_is_let_in_and_told_whom_it_meets(run: Any, folder: Path) -> None:
    run("keys", "new")
    public = "A" + zmq.curve_keypair()[0].decode()[1:]
    told = run("keys", "add", "left", public, "--subscribe", "").output
    assert "left is let in: hear everything" in told
    assert KeysFolder(folder).rig_key().public in told
    assert public in run("keys", "ls").output


def test_a_list_shows_no_secrets(run: Any, folder: Path) -> None:
    run("keys", "new", "laptop")
    shown = run("keys", "ls").output
    told = json.loads(run("keys", "ls", "--json").output)
    assert told["allowed"][0]["name"] == "laptop"
    assert told["allowed"][0]["subscribe"] == [""]
    for secret in secrets_of(folder):
        assert secret not in shown + json.dumps(told)


def test_an_empty_list_says_how_to_fill_it(run: Any) -> None:
    run("keys", "new")
    assert "zbus keys new NAME" in run("keys", "ls").output


def test_who_is_revoked_is_out(run: Any, fail: Any, folder: Path) -> None:
    run("keys", "new", "laptop")
    assert "laptop is let in no more" in run("keys", "revoke", "laptop").output
    assert KeysFolder(folder).allowed() == {}
    assert not (folder / "laptop.key").exists()
    assert fail("keys", "revoke", "laptop", ends_with=3)["code"] == "bad_keys"


def test_without_keys_every_verb_says_how_to_make_them(fail: Any) -> None:
    for arguments in (["ls"], ["revoke", "laptop"]):
        assert "zbus keys new" in fail("keys", *arguments, ends_with=3)["next_step"]


def test_a_folder_that_others_can_read_is_refused_with_the_command_that_mends_it(
    run: Any, fail: Any, folder: Path
) -> None:
    run("keys", "new")
    folder.chmod(0o755)
    assert fail("keys", "ls", ends_with=3)["next_step"] == f"chmod 0700 '{folder}'"
    folder.chmod(0o700)
    (folder / "rig.key").chmod(0o640)
    assert fail("keys", "new", "laptop", ends_with=3)["next_step"] == f"chmod 0600 '{folder / 'rig.key'}'"


@pytest.mark.parametrize("made", ["json", "text"])
def test_a_new_key_is_told_to_programs_too(run: Any, folder: Path, made: str) -> None:
    arguments = ["--json"] if made == "json" else []
    told = run("keys", "new", "laptop", *arguments).output
    if made == "json":
        told = json.loads(told)
        assert (told["file"], told["overlay"]) == (str(folder / "laptop.key"), True)
        assert told["key"] == load_client_key(folder / "laptop.key").public
