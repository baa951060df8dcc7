from dataclasses import fields

import pytest

from zbus.compat.pymultivideo import FrontEnd, FrontEndSettings
from zbus.compat.pymultivideo._settings import node_id
from zbus.config import read_settings
from zbus.errors import ConfigError
from zbus.wire import is_source_name


def test_the_defaults_are_pymultivideos() -> None:
    settings = FrontEndSettings("cam1")
    assert (settings.put_rate, settings.pull_rate) == (10.0, 10.0)
    assert settings.pub_address == "tcp://127.0.0.1:5555"
    assert settings.pull_address == "tcp://127.0.0.1:5556"


def test_the_picture_id_is_serial_and_module() -> None:
    assert FrontEndSettings("18360350", module="spinnaker").picture_id == "18360350-spinnaker"
    assert FrontEndSettings("cam1").picture_id == "cam1-zbus"
    assert FrontEndSettings("cam1", unique_id="mine").picture_id == "mine"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.metadata["help"] for field in fields(FrontEnd.Settings))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("camera", "cam 1"),
        ("camera", ""),
        ("put_rate", -1.0),
        ("put_rate", 1001.0),
        ("pull_rate", 0.0),
        ("pull_rate", float("nan")),
        ("dialect", "xml"),
        ("color", "rgb"),
    ],
)
def test_what_cannot_be_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(FrontEndSettings, {"camera": "cam1", key: value})
    assert caught.value.key == key


def test_a_node_id_is_always_one() -> None:
    assert node_id("cam1") == "pymultivideo-cam1"
    assert is_source_name(node_id("c" * 64))
