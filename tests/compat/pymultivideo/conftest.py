"""A rig for each test, on random ports, with sockets in a folder of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymultivideo_rig import Rig, rig_for_a_test


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    # Why: most of a test would be waiting for states that tell it what it waits for.
    monkeypatch.setattr("zbus.nodes._presence.ANNOUNCE_PERIOD_S", 0.1)
    monkeypatch.setattr("zbus.nodes._presence.STATE_PERIOD_S", 0.1)
    # Why: an ipc path may have 100 bytes, and pytest's own folders are long.
    with tempfile.TemporaryDirectory(prefix="zbus") as folder:
        yield from rig_for_a_test(Path(folder), monkeypatch)
