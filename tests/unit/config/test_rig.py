from __future__ import annotations

import os
from pathlib import Path

import pytest

import zbus.config
from zbus.config import RigFile, load_rig
from zbus.errors import ConfigError

GOOD = """\
[rig]
name = "lab"

[broker]
directory = "tcp://127.0.0.1:6000"

[cameras.cam1]  # by the door
source = "sim"
settings = { fps = 20.0 }

[cameras.cam1.settings.more]
deep = 1

[trackers.t1]
camera = "cam1"

[overlay]
[gateway]
bind = "127.0.0.1:8081"
"""


def error_of(folder: Path, text: str) -> ConfigError:
    path = folder / "rig.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rig(path)
    assert caught.value.path == str(path)
    return caught.value


def test_a_rig_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(GOOD.replace("[cameras.cam1.settings.more]\ndeep = 1\n", ""))
    rig = load_rig(path)
    assert (rig.name, rig.broker.directory) == ("lab", "tcp://127.0.0.1:6000")
    assert rig.cameras["cam1"].settings == {"fps": 20.0}
    assert rig.trackers["t1"].camera == "cam1"
    assert rig.overlay is not None
    assert rig.gateway is not None
    assert rig.gateway.bind == "127.0.0.1:8081"
    error = rig.place.error("is odd", key="cameras.cam1.settings.fps", expected="even")
    assert (error.path, error.line, error.expected) == (str(path), 9, "even")


def test_a_byte_order_mark_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "my rig (2).toml"
    path.write_text("\ufeff[cameras.a]\nsource = 'sim'\n", encoding="utf-8")
    assert list(load_rig(path).cameras) == ["a"]
    assert load_rig(path).name == "my-rig-2-"
    path.write_text("")
    assert load_rig(path).cameras == {}


@pytest.mark.parametrize(
    ("text", "line", "key", "expected"),
    [
        ("[camera.a]\nsource = 'sim'\n", 1, "camera", "one of rig, broker, cameras"),
        ("\n[rig]\nnmae = 'x'\n", 3, "rig.nmae", "one of name, reference"),
        ("rig = 'lab'\n", 1, "rig", "a table"),
        ("[rig]\nname = 'two words'\n", 2, "rig.name", "letters"),
        ("[rig]\nname = 7\n", 2, "rig.name", "letters"),
        ("broker = 3\n", 1, "broker", "a table"),
        ("cameras = 3\n", 1, "cameras", "[cameras.NAME]"),
        ("[cameras]\na = 3\n", 2, "cameras.a", "[cameras.NAME]"),
        ("[cameras.a]\n", 1, "cameras.a.source", "a text"),
        ("[cameras.a]\nsource = 3\n", 2, "cameras.a.source", "a text"),
        ("[cameras.a]\nsource = 'sim'\nsorce = 1\n", 3, "cameras.a.sorce", "source"),
        ("[cameras.a]\nsource = 'sim'\njpeg_quality = 0\n", 3, "cameras.a.jpeg_quality", ""),
        ("[cameras.'a b']\nsource = 'sim'\n", 1, "cameras.a b", "letters"),
        ("[cameras.overlay]\nsource = 'sim'\n", 1, "cameras.overlay", ""),
        ("[cameras.supervisor]\nsource = 'sim'\n", 1, "cameras.supervisor", ""),
        ("[cameras.a]\nsource = 'sim'\n[trackers.a]\ncamera = 'a'\n", 3, "trackers.a", ""),
        ("[cameras.a]\nsource = 'sim'\n[trackers.t]\ncamera = 'b'\n", 4, "trackers.t.camera", "one of a"),
        ("[trackers.t]\ncamera = 'b'\n", 2, "trackers.t.camera", "none"),
        ("[broker]\npublish = 'foo'\n", 2, "broker.publish", ""),
        ("[broker]\n\ninsecure = 'yes'\n", 3, "broker.insecure", "true or false"),
        ("[overlay]\nbind = 'tcp://127.0.0.1:5551'\n", 2, "overlay.bind", "another port"),
        ("[gateway]\nbind = '127.0.0.1:5550'\n", 2, "gateway.bind", "another port"),
        ("[gateway]\nbind = 8080\n", 2, "gateway.bind", "a text"),
    ],
)
def test_what_is_wrong_is_told_with_path_line_key_and_what_was_expected(
    tmp_path: Path, text: str, line: int, key: str, expected: str
) -> None:
    error = error_of(tmp_path, text)
    assert (error.line, error.key) == (line, key)
    assert expected in error.expected
    assert f"rig.toml:{line}: {key}: " in str(error)
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = = 2\n", 2),
        ("a = 1\nb = [1,\n", 2),
        ("a = 1\na = 2\n", 2),
        ("a = " + "9" * 5000, 1),
        ("\x01", 1),
    ],
)
def test_what_is_no_toml_is_told_by_line(tmp_path: Path, text: str, line: int) -> None:
    error = error_of(tmp_path, text)
    assert error.line == line
    assert "is not TOML" in str(error)


def test_a_table_without_a_bottom_is_refused(tmp_path: Path) -> None:
    assert "nested" in str(error_of(tmp_path, "a = " + "[" * 20_000))


def test_free_ports_may_be_the_same(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(
        "".join(["[broker]\n", *(f"{name} = 'tcp://127.0.0.1:0'\n" for name in ("publish", "subscribe"))])
    )
    assert load_rig(path).broker.publish == "tcp://127.0.0.1:0"


@pytest.mark.parametrize("kind", ["folder", "missing", "binary", "large", "pipe"])
def test_what_is_no_file_of_text_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rig.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00\x81")
    elif kind == "large":
        path.write_text("#" * 1_048_577)
    elif kind == "pipe":
        os.mkfifo(path)
    words = {"folder": "a folder", "missing": "No such file", "binary": "not a text", "large": "too large"}
    with pytest.raises(ConfigError, match=words.get(kind, "not a file")) as caught:
        RigFile(path)
    assert caught.value.path == str(path)
    assert caught.value.expected or caught.value.next_step


def test_the_rig_file_of_the_readme_is_one(tmp_path: Path) -> None:
    readme = Path(zbus.config.__file__).with_name("README.md").read_text(encoding="utf-8")
    path = tmp_path / "rig.toml"
    path.write_text(readme.split("```toml\n")[1].split("```")[0])
    assert list(load_rig(path).trackers) == ["cam1-tracks"]


def test_paths_are_meant_from_the_rig_file_s_folder(tmp_path: Path) -> None:
    text = """
[cameras.side]
source = "file"
settings = { path = "side.mp4", loop = true }

[trackers.t]
camera = "side"
settings = { detector_settings = { background_path = "empty.png", threshold = 20 } }
"""
    path = tmp_path / "rig.toml"
    path.write_text(text, encoding="utf-8")
    rig = load_rig(path)
    assert rig.cameras["side"].settings == {"path": str(tmp_path / "side.mp4"), "loop": True}
    assert rig.trackers["t"].settings["detector_settings"]["background_path"] == str(tmp_path / "empty.png")


def test_absolute_paths_stay(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text('[cameras.c]\nsource = "file"\nsettings = { path = "/videos/a.mp4" }\n', encoding="utf-8")
    assert load_rig(path).cameras["c"].settings["path"] == "/videos/a.mp4"


def test_keys_and_the_edge_are_read_from_the_files_folder(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[rig]\nkeys = 'keys'\n[broker]\nkey = 'me.key'\n[edge]\nbind = 'tcp://0.0.0.0:5560'\n")
    rig = load_rig(path)
    assert rig.keys == str(tmp_path / "keys")
    assert rig.broker.key == str(tmp_path / "me.key")
    assert rig.edge is not None
    assert rig.edge.places[3] == "tcp://0.0.0.0:5563"
    path.write_text("")
    assert (load_rig(path).keys, load_rig(path).edge) == ("", None)


@pytest.mark.parametrize("bind", ["tcp://0.0.0.0:5549", "tcp://*:5552", "tcp://127.0.0.1:5550"])
def test_an_edge_at_ports_of_the_broker_is_refused_with_a_free_choice(tmp_path: Path, bind: str) -> None:
    error = error_of(tmp_path, f"[edge]\nbind = '{bind}'\n")
    assert error.key == "edge.bind"
    assert error.line == 2
    assert f"{bind.rpartition(':')[0]}:5560" in error.expected
    assert "broker." in error.what


def test_an_edge_at_another_address_of_this_machine_may_have_the_same_ports(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[edge]\nbind = 'tcp://10.0.0.1:5550'\n")
    assert load_rig(path).edge is not None


def test_keys_are_the_path_of_a_folder(tmp_path: Path) -> None:
    assert error_of(tmp_path, "[rig]\nkeys = 1\n").key == "rig.keys"
