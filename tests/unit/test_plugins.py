from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from zbus import plugins
from zbus.cameras import SimCamera
from zbus.errors import UnknownName, ZbusError
from zbus.plugins import GROUPS, load_plugin, plugin_names


def test_ours_are_found_as_a_strangers_would_be() -> None:
    assert {"file", "opencv", "sim"} <= set(plugin_names("zbus.cameras"))
    assert load_plugin("zbus.cameras", "sim") is SimCamera
    assert set(plugin_names("zbus.brokers")) == {"broker", "edge", "relay"}


@pytest.mark.parametrize("group", GROUPS)
def test_everything_that_we_registered_can_be_loaded(group: str) -> None:
    assert all(load_plugin(group, name) is not None for name in plugin_names(group))


def test_a_name_that_nobody_registered_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownName) as caught:
        load_plugin("zbus.cameras", "webcam")
    assert (caught.value.what, caught.value.name) == ("camera", "webcam")
    assert "sim" in caught.value.known


@pytest.mark.parametrize("value", ["no_such_package:Camera", "zbus.cameras:NoSuchCamera"])
def test_a_package_that_cannot_be_imported_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    broken: Any = [EntryPoint("broken", value, "zbus.cameras")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: broken)
    with pytest.raises(ZbusError) as caught:
        load_plugin("zbus.cameras", "broken")
    assert "'broken'" in caught.value.cause
    assert "pip install" in caught.value.next_step
