"""The table of threats names tests that are there, and every test that bears a threat's number is in it."""

from __future__ import annotations

import re

import pytest

from .plan import ROOT

TESTS = ROOT / "tests"
FAULTS = TESTS / "faults"
ROW = re.compile(r"^\| S(\d+) [^|]*\|(.*)\|$", re.MULTILINE)


def table() -> dict[str, str]:
    return dict(ROW.findall((FAULTS / "README.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize("number", table())
def test_a_threat_has_the_tests_that_are_named(number: str):
    files = re.findall(r"`([\w/]+\.py)`(?:: `(test_\w+)\*`)?", table()[number])
    assert files
    for file, prefix in files:
        path = next(path for path in (FAULTS / file, TESTS / file) if path.exists())
        assert re.search(rf"^def {prefix or 'test_'}", path.read_text(encoding="utf-8"), re.MULTILINE), file


def test_a_test_with_a_number_is_in_the_table():
    for path in FAULTS.glob("test_*.py"):
        for number in re.findall(r"^def test_s(\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert f"`{path.name}`: `test_s{number}_*`" in table()[number], f"{path.name}: S{number}"
