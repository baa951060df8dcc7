from __future__ import annotations

from pathlib import Path

import pytest

from zbus.config import Rig, host_part, load_rig
from zbus.errors import ConfigError

TWO = """\
[rig]
reference = "right"

[hosts.left]
address = "127.0.0.1"

[hosts.right]
address = "127.0.0.2"

[cameras.cam1]
source = "sim"
host = "left"

[trackers.t1]
camera = "cam1"
host = "right"

[overlay]
host = "left"

[gateway]
host = "right"

[relay]
topics = ["frame.jpeg/", "tracks/"]
frames_hz = 10
"""


def load(folder: Path, text: str) -> Rig:
    path = folder / "rig.toml"
    path.write_text(text, encoding="utf-8")
    return load_rig(path)


def test_a_tracker_may_follow_a_camera_of_another_host(tmp_path: Path) -> None:
    rig = load(tmp_path, TWO)
    assert list(rig.hosts) == ["left", "right"]
    assert rig.reference == "right"
    assert (rig.relay.topics, rig.relay.frames_hz) == (("frame.jpeg/", "tracks/"), 10.0)
    assert host_part(rig, "right").trackers["t1"].camera == "cam1"


def test_the_first_host_is_the_reference_where_none_is_named(tmp_path: Path) -> None:
    assert load(tmp_path, TWO.replace('reference = "right"', "")).reference == "left"


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('source = "sim"\nhost = "left"', 'source = "sim"\nhost = "lift"', 12, "cameras.cam1.host"),
        ('camera = "cam1"\nhost = "right"', 'camera = "cam1"', 14, "trackers.t1.host"),
        ('[gateway]\nhost = "right"', "[gateway]", 21, "gateway.host"),
        ('reference = "right"', 'reference = "top"', 2, "rig.reference"),
        ("[hosts.left]", '[hosts."left.er"]', 4, "hosts.left.er"),
        ('address = "127.0.0.2"', 'address = "127.0.0.1"', 8, "hosts.right.address"),
        ('camera = "cam1"', 'camera = "cam2"', 15, "trackers.t1.camera"),
        ("[trackers.t1]", '[trackers."relay.left"]', 14, "trackers.relay.left"),
        ("[trackers.t1]", '[trackers."supervisor.right"]', 14, "trackers.supervisor.right"),
        ("frames_hz = 10", "frames_hz = 10_000", 26, "relay.frames_hz"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, key: str) -> None:
    assert old in TWO
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, TWO.replace(old, new))
    assert (caught.value.line, caught.value.key) == (line, key)


def test_a_host_in_a_rig_without_hosts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which has none"):
        load(tmp_path, "[cameras.cam1]\nsource = 'sim'\nhost = 'left'\n")
