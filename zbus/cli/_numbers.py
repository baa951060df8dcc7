"""Numbers on the command line: finite ones, and whole ones that fit into every program."""

from __future__ import annotations

import math
from typing import Any

import click

WHOLE_MAX = 2**62


class FiniteFloat(click.FloatRange):
    """A number from `min` on, but neither nan nor infinity."""

    name = "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        # Why: click writes x<=None for a range without ends.
        return "" if self.min is None and self.max is None else super()._describe_range()


class WholeNumber(click.IntRange):
    """A whole number from `min` to `max`, and never beyond what fits into 64 bits everywhere."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = int(super().convert(value, param, ctx))
        if abs(number) > WHOLE_MAX:
            self.fail("This number is too large: whole numbers go up to 2**62.", param, ctx)
        return number

    def _describe_range(self) -> str:
        return "" if self.min is None and self.max is None else super()._describe_range()


class NumberOrText(click.ParamType):
    """A whole number where it is written like one, else a text."""

    name = "number|text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return WholeNumber().convert(value, param, ctx) if value.isdecimal() else value


def has_odd_number(value: Any) -> bool:
    """True where `value`, or anything within it, is a number that the two types above refuse."""
    if isinstance(value, dict | list):
        return any(map(has_odd_number, value.values() if isinstance(value, dict) else value))
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and abs(value) > WHOLE_MAX
