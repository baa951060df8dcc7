import math
from dataclasses import fields, replace
from typing import Any

import pytest

from zbus.cameras import SimSettings
from zbus.cameras._settings import WrongValue
from zbus.cameras._sim_settings import LIMITS
from zbus.config import read_settings
from zbus.errors import ConfigError

# A change of one number alone must not also break how body and picture fit together.
ROOMY = SimSettings(width=2048, height=2048, body_length_px=500.0, body_width_px=2.0)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"animals": -1}, "animals"),
        ({"width": 10}, "width"),
        ({"fps": 0.0}, "fps"),
        ({"noise": -1.0}, "noise"),
        ({"drop_every": 1}, "drop_every"),
        ({"body_width_px": 40.0}, "body_width_px"),
        ({"body_length_px": 300.0}, "body_length_px"),
        ({"polarity": "blue"}, "polarity"),
        ({"nosuch": 1}, "nosuch"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(SimSettings, values)
    assert caught.value.key == key


def test_every_number_has_its_limits() -> None:
    numbers = {each.name for each in fields(SimSettings) if isinstance(each.default, int | float)}
    assert numbers == set(LIMITS)


@pytest.mark.parametrize(("name", "side"), [(name, side) for name in LIMITS for side in (0, 1)])
def test_a_number_beyond_its_limit_is_refused_with_both_limits(name: str, side: int) -> None:
    limit = LIMITS[name][side]
    beyond = limit + (-1 if side == 0 else 1) * (1 if isinstance(limit, int) else 0.01)
    with pytest.raises(WrongValue, match=f"^{name} must be from ") as caught:
        replace(ROOMY, **{name: beyond})
    assert caught.value.key == name
    low, high = LIMITS[name]
    assert f"from {low:g} to {high:g}, not {beyond:g}" in str(caught.value)


@pytest.mark.parametrize("name", [name for name, limits in LIMITS.items() if isinstance(limits[0], float)])
def test_what_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(WrongValue, match=f"^{name} ") as caught:
        replace(ROOMY, **{name: math.nan})
    assert caught.value.key == name


@pytest.mark.parametrize(
    "values",
    [
        {"animals": 0},
        {"animals": 500},
        {"width": 32, "height": 32, "body_length_px": 16.0, "body_width_px": 16.0},
        {"width": 8192, "height": 8192, "body_length_px": 1000.0, "body_width_px": 1000.0},
        {"fps": 0.1},
        {"fps": 2000.0},
        {"drop_every": 0},
        {"drop_every": 2},
    ],
)
def test_the_limits_themselves_are_allowed(values: dict[str, Any]) -> None:
    settings = SimSettings(**values)
    assert {name: getattr(settings, name) for name in values} == values


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"body_length_px": 10.0, "body_width_px": 10.5}, "body_width_px must be at most body_length_px"),
        ({"width": 59, "height": 480}, "body_length_px must be at most half of the picture's shorter side"),
        ({"width": 640, "height": 59}, "body_length_px must be at most half of the picture's shorter side"),
        ({"drop_every": 1}, "drop_every must be 0 or at least 2: with 1 no frame would be left"),
    ],
)
def test_what_does_not_fit_together_says_why(values: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongValue) as caught:
        SimSettings(**values)
    assert str(caught.value) == told
