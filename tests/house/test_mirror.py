"""The mirror: every file with code has a test file of its name, or stands here with the reason why not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .plan import ROOT, name, python_files, tree

# Where something else proves a file. `file: reason`.
PROVED_ELSEWHERE: dict[str, str] = {
    "zbus/__init__.py": "tests/house/test_lazy_imports.py",
    "zbus/errors.py": "the error tree: each error where it is raised",
    "zbus/plugins.py": "tests/contracts, which load by entry point",
}


def has_code(path: Path) -> bool:
    """True where a file does something that could be wrong; a protocol's `...` does nothing."""
    functions = (
        each for each in ast.walk(tree(path)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return any(not is_stub(function) for function in functions)


def is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True for a body of nothing but a docstring and dots."""
    return all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in function.body)


def mirrored(path: Path) -> list[Path]:
    """Where the test file may be: tests/unit/<room>/test_<file>.py; zbus_brokers is called brokers there.

    Why brokers: a folder zbus_brokers on the path of the tests would hide the package of that name.
    """
    inside = path.relative_to(ROOT / ("brokers" if "brokers" in path.parts else "zbus"))
    room = Path(*("brokers" if part == "zbus_brokers" else part for part in inside.parts[:-1]))
    stem = inside.stem.lstrip("_") if inside.stem != "__init__" else "init"
    unit = ROOT / "tests" / "unit" / room
    return [unit / f"test_{stem}.py", unit / f"test_{room.name}_{stem}.py"]


FILES = [name(path) for path in python_files() if has_code(path) and "testing" not in path.parts]


@pytest.mark.parametrize("file", FILES)
def test_every_file_with_code_has_its_test(file: str):
    assert file in PROVED_ELSEWHERE or any(path.exists() for path in mirrored(ROOT / file))


@pytest.mark.parametrize("file", sorted(PROVED_ELSEWHERE))
def test_no_exception_outlives_its_file(file: str):
    assert (ROOT / file).exists()
    assert PROVED_ELSEWHERE[file]
