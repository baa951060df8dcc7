from __future__ import annotations

from typing import Any

import click
import pytest

from zbus.cli._numbers import FiniteFloat, NumberOrText, WholeNumber, has_odd_number


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "NaN"])
@pytest.mark.parametrize("kind", [FiniteFloat(), FiniteFloat(min=0.1)])
def test_a_number_is_finite(kind: FiniteFloat, text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
    assert kind.convert("2.5", None, None) == 2.5


@pytest.mark.parametrize("kind", [WholeNumber(), WholeNumber(min=1), NumberOrText()])
def test_a_whole_number_has_an_end(kind: click.ParamType) -> None:
    assert kind.convert(str(2**62), None, None) == 2**62
    with pytest.raises(click.BadParameter, match="too large"):
        kind.convert(str(2**62 + 1), None, None)


def test_limits_are_shown_where_there_are_some() -> None:
    def help_of(kind: click.ParamType) -> str:
        command = click.Command("x", params=[click.Option(["--a"], type=kind)])
        return command.get_help(click.Context(command))

    assert "x>=0.1" in help_of(FiniteFloat(min=0.1))
    assert "1<=x<=200" in help_of(WholeNumber(1, 200))
    assert "None" not in help_of(FiniteFloat()) + help_of(WholeNumber())


@pytest.mark.parametrize(
    ("value", "is_odd"),
    [({"a": [1, 2.5, "nan", True]}, False), ({"a": {"b": [float("nan")]}}, True), ({"a": -(2**63)}, True)],
)
def test_numbers_are_looked_for_in_tables_too(value: Any, is_odd: bool) -> None:
    assert has_odd_number(value) == is_odd


@pytest.mark.parametrize(
    "arguments",
    [["top", "--every", "nan"], ["demo", "--seconds", "nan"], ["tap", "--seconds", "inf"]],
)
def test_verbs_take_finite_numbers_only(fail: Any, arguments: list[str]) -> None:
    assert "is not a finite number" in fail(*arguments, ends_with=2)["cause"]


@pytest.mark.parametrize("value", ["nan", "inf", "[1, -inf]", str(2**70)])
def test_so_do_assignments(run: Any, value: str) -> None:
    told = run("track", "--camera", "c", "--set", f"detector_settings.x={value}", ends_with=3).stderr
    assert f"--set detector_settings.x: is {value} (expected a finite number" in told
