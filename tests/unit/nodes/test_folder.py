from __future__ import annotations

from pathlib import Path

import pytest

from zbus.config import BrokerPlan
from zbus.nodes import remove_rig_folder, rig_folder
from zbus.nodes._folder import rig_folders


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("tcp://127.0.0.1:5550", "127.0.0.1-5550"),
        ("tcp://localhost:5550", "127.0.0.1-5550"),
        ("tcp://*:5550", "127.0.0.1-5550"),
        ("tcp://0.0.0.0:5550", "127.0.0.1-5550"),
        ("tcp://[::]:5550", "127.0.0.1-5550"),
        ("tcp://[fe80::1]:5550", "fe80-1-5550"),
        ("tcp://lab-pc:5550", "lab-pc-5550"),
        ("ipc:///tmp/a b/c.ipc", "tmp-a-b-c.ipc"),
        ("ipc://...", "rig"),
    ],
)
def test_who_has_the_same_directory_meets_in_the_same_folder(
    runtime: Path, directory: str, name: str
) -> None:
    assert rig_folder(BrokerPlan(directory=directory)) == runtime / "zbus" / name


def test_long_addresses_have_folders_of_their_own(runtime: Path) -> None:
    names = {rig_folder(BrokerPlan(directory=f"ipc:///{'x' * 90}{end}")).name for end in "ab"}
    assert len(names) == 2
    assert all(len(name) < 30 for name in names)


def test_folders_are_listed_and_removed(runtime: Path) -> None:
    one, two = (BrokerPlan(directory=f"tcp://127.0.0.1:{port}") for port in (6001, 6002))
    (rig_folder(one) / "a.lock").touch()
    rig_folder(two)
    (runtime / "zbus" / "a file").touch()
    remove_rig_folder(one)
    assert "127.0.0.1-6002" in [folder.name for folder in rig_folders()]
    assert "127.0.0.1-6001" not in [folder.name for folder in rig_folders()]
    assert all(folder.is_dir() for folder in rig_folders())
