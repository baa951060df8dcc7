from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from zbus.config import CommandLine, describe_type, read_settings
from zbus.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    path: str
    fps: float = 30.0
    count: int = 1
    invert: bool = False
    pace: Literal["slow", "fast"] = "slow"
    region: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()
    device: int | str = 0
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fps <= 0:
            raise ValueError("fps must be above 0")
        if self.count > 9:
            raise ValueError("nine is enough")


def error_of(values: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_settings(Settings, values, prefix="cameras.cam1.settings.")
    return caught.value


def test_values_of_the_declared_types_are_taken() -> None:
    values = {"path": "a", "fps": 25, "region": [1, 2], "names": ["x"], "device": "b", "more": {"k": [1]}}
    settings = read_settings(Settings, values)
    assert settings == Settings("a", 25.0, region=(1, 2), names=("x",), device="b", more={"k": [1]})
    assert type(settings.fps) is float


@pytest.mark.parametrize(
    ("values", "key", "expected"),
    [
        ({"path": 3}, "path", "a text"),
        ({"path": "a", "fps": "fast"}, "fps", "a number"),
        ({"path": "a", "fps": True}, "fps", "a number"),
        ({"path": "a", "count": 1.5}, "count", "a whole number"),
        ({"path": "a", "count": False}, "count", "a whole number"),
        ({"path": "a", "invert": 1}, "invert", "true or false"),
        ({"path": "a", "pace": "medium"}, "pace", "one of 'slow', 'fast'"),
        ({"path": "a", "region": [1]}, "region", "a list of 2: a whole number, a whole number"),
        ({"path": "a", "region": [1, "b"]}, "region", "a list of 2: a whole number, a whole number"),
        ({"path": "a", "names": [1]}, "names", "a list, each a text"),
        ({"path": "a", "device": 1.5}, "device", "a whole number or a text"),
        ({"path": "a", "more": []}, "more", "a table"),
        ({}, "path", "a text"),
    ],
)
def test_another_type_is_refused_by_key_and_what_was_expected(
    values: dict[str, Any], key: str, expected: str
) -> None:
    error = error_of(values)
    assert (error.key, error.expected) == (f"cameras.cam1.settings.{key}", expected)


def test_an_unknown_setting_is_refused_with_those_that_there_are() -> None:
    error = error_of({"path": "a", "fsp": 30})
    assert error.key == "cameras.cam1.settings.fsp"
    assert "fps" in error.expected


def test_the_check_of_the_whole_is_told_at_its_field_without_naming_it_twice() -> None:
    error = error_of({"path": "a", "fps": -1})
    assert str(error) == "cameras.cam1.settings.fps: must be above 0"
    assert error_of({"path": "a", "count": 10}).key == "cameras.cam1.settings"


def test_places_make_their_own_errors() -> None:
    error = CommandLine().error("is wrong", key="a.b", expected="c", next_step="d")
    assert (error.what, error.key, error.expected, error.next_step) == ("is wrong", "a.b", "c", "d")


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int | None, "a whole number"),
        (list[float], "a list, each a number"),
        (list, "list"),
        (tuple[()], "a list"),
        (Settings, "Settings"),
        (dict[str, int], "a table"),
    ],
)
def test_types_are_told_in_words(hint: Any, words: str) -> None:
    assert describe_type(hint) == words
