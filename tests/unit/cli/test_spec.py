from __future__ import annotations

from typing import Any

import pytest


def test_without_a_chapter_they_are_listed(run: Any) -> None:
    lines = run("spec").output.splitlines()
    assert lines[0].startswith("1-envelope")
    assert any(line.startswith("registry") for line in lines)
    assert not any("README" in line for line in lines)


@pytest.mark.parametrize("chapter", ["3", "frame", "3-frame"])
def test_a_chapter_by_number_or_name(run: Any, chapter: str) -> None:
    assert run("spec", chapter).output.startswith("# 3 Frame")


def test_all_of_them(run: Any) -> None:
    output = run("spec", "all").output
    assert output.startswith("# 1 ")
    assert "# Registry" in output


def test_a_chapter_that_there_is_not(run: Any) -> None:
    told = run("spec", "99", ends_with=4).stderr
    assert "no chapter is called '99'" in told
    assert "zbus spec" in told
