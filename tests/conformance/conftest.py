"""What the code can refuse, read from its source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zbus.wire


@pytest.fixture(scope="session")
def wire_reasons() -> set[str]:
    """Every word that zbus/wire hands to WireError as its reason."""
    found: set[str] = set()
    for path in Path(zbus.wire.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "WireError":
                found |= set(_texts(node.args[0]))
    return found


def _texts(node: ast.expr) -> list[str]:
    return [part.value for part in _values(node) if isinstance(part, ast.Constant)]


def _values(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
