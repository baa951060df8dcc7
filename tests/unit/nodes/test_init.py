from __future__ import annotations

import pytest

import zbus.nodes


def test_every_name_is_there_and_no_other() -> None:
    for name in zbus.nodes.__all__:
        assert getattr(zbus.nodes, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Recorder'"):
        _ = zbus.nodes.Recorder
