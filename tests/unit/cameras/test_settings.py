import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras import Feature, check_changes
from zbus.errors import CameraError

FEATURES = {
    "Gain": Feature(float, 0.0, 24.0),
    "Width": Feature(int, 1, 100, writable=False),
    "OffsetX": Feature(int, 0, 10),
    "ExposureAuto": Feature(str, choices=("Off", "Continuous")),
    "ReverseX": Feature(bool),
}


def test_an_int_becomes_the_float_that_is_wanted() -> None:
    taken = check_changes(
        "cam1", FEATURES, {"Gain": 3, "OffsetX": 4, "ReverseX": True, "ExposureAuto": "Off"}
    )
    assert taken == {"Gain": 3.0, "OffsetX": 4, "ReverseX": True, "ExposureAuto": "Off"}
    assert type(taken["Gain"]) is float


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Gian", 1.0, "no setting Gian"),
        ("Width", 10, "Width cannot be changed"),
        ("Gain", 24.1, "Gain cannot be 24.1"),
        ("Gain", math.nan, "Gain cannot be nan"),
        ("Gain", True, "Gain cannot be True"),
        ("Gain", "high", "Gain cannot be 'high'"),
        ("OffsetX", 1.0, "OffsetX cannot be 1.0"),
        ("OffsetX", False, "OffsetX cannot be False"),
        ("ExposureAuto", "Once", "ExposureAuto cannot be 'Once'"),
        ("ReverseX", 1, "ReverseX cannot be 1"),
    ],
)
def test_a_refusal_names_setting_and_remedy(name: str, value: Any, told: str) -> None:
    with pytest.raises(CameraError, match=told) as caught:
        check_changes("cam1", FEATURES, {"Gain": 1.0, name: value})
    assert caught.value.next_step


@given(st.floats())
def test_a_number_is_taken_within_its_bounds_only(value: float) -> None:
    if 0.0 <= value <= 24.0:
        assert check_changes("cam1", FEATURES, {"Gain": value}) == {"Gain": value}
    else:
        with pytest.raises(CameraError, match="at least 0 and at most 24"):
            check_changes("cam1", FEATURES, {"Gain": value})
