"""The plan of the house as these tests see it: where things are, and the exceptions with their reasons."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (ROOT / "zbus", ROOT / "brokers" / "zbus_brokers")

TOP_FOLDERS = {"zbus", "brokers", "clients", "tests", "docker"}
ROOMS = {
    "spec", "decisions", "wire", "transport", "cameras", "tracking", "recording", "overlay", "scheduling",
    "nodes", "gateways", "compat", "testing", "cli", "config",
}  # fmt: skip

# Folders that hold no room of the house but what a tool or an asset server dictates.
NOT_ROOMS = {"__pycache__", "vectors", "static"}


def python_files() -> Iterator[Path]:
    """Every file of the library and of the brokers."""
    for package in PACKAGES:
        yield from sorted(path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path) -> str:
    """A path as a person would say it: from the top of the house."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called, as far as it is one."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found
