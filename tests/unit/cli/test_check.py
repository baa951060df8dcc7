from __future__ import annotations

from pathlib import Path

import pytest

from zbus.cli._check import check_plans
from zbus.config import load_rig
from zbus.errors import ConfigError

CAMERA = "[cameras.c]\nsource = 'sim'\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "expected"),
    [
        ("[cameras.c]\nsource = 'sin'\n", 2, "cameras.c.source", "file, opencv, sim"),
        (f"{CAMERA}[cameras.c.settings]\nfpss = 3\n", 4, "cameras.c.settings.fpss", "fps"),
        (f"{CAMERA}[cameras.c.settings]\nfps = 'x'\n", 4, "cameras.c.settings.fps", "a number"),
        (f"{CAMERA}settings = {{fps = -3}}\n", 3, "cameras.c.settings.fps", ""),
        ("[cameras.c]\nsource = 'file'\n", 1, "cameras.c.settings.path", "a text"),
        (f"{CAMERA}[trackers.t]\ncamera = 'c'\ntracker = 'blub'\n", 5, "trackers.t.tracker", "blob"),
        (
            f"{CAMERA}[trackers.t]\ncamera = 'c'\n[trackers.t.settings]\nanimals = 0\n",
            6,
            "trackers.t.settings.animals",
            "",
        ),
        (
            f"{CAMERA}[trackers.t]\ncamera = 'c'\n[trackers.t.settings]\ndetector = 'eye'\n",
            6,
            "trackers.t.settings.detector",
            "adaptive",
        ),
        (
            f"{CAMERA}[trackers.t]\ncamera = 'c'\n[trackers.t.settings.detector_settings]\nblock = 1\n",
            6,
            "trackers.t.settings.detector_settings.block",
            "block_size",
        ),
    ],
)
def test_a_plug_in_or_a_setting_that_is_not_there_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, key: str, expected: str
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check_plans(load_rig(path))
    error = caught.value
    assert (error.path, error.line, error.key) == (str(path), line, key)
    assert expected in error.expected


def test_a_rig_that_can_be_is_fine_though_its_devices_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[cameras.c]\nsource = 'file'\nsettings = {path = 'nowhere.mp4'}\n")
    check_plans(load_rig(path))
