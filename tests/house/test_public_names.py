"""The public surface is a list: `__all__` of every package is what `public_names.txt` says.

To change it on purpose: `python -m tests.house.test_public_names`, and look at the difference.
"""

from __future__ import annotations

import ast
from pathlib import Path

from .plan import PACKAGES, tree

LIST = Path(__file__).with_name("public_names.txt")


def public_names() -> list[str]:
    """Every name of every `__all__`, as `package.name`, sorted. Nothing is imported."""
    found: list[str] = []
    for package in PACKAGES:
        for init in package.rglob("__init__.py"):
            dotted = ".".join(init.parent.relative_to(package.parent).parts)
            found += [f"{dotted}.{each}" for each in listed(init)]
    return sorted(found)


def listed(init: Path) -> list[str]:
    for node in tree(init).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(each) for each in ast.literal_eval(node.value)]
    return []


def test_the_public_surface_is_the_committed_list():
    assert public_names() == LIST.read_text(encoding="utf-8").split()


def test_no_package_lets_through_what_it_does_not_list():
    """What an `__init__` takes from its files is public, or has no business there."""
    for package in PACKAGES:
        for init in package.rglob("__init__.py"):
            imported = {
                alias.asname or alias.name
                for node in tree(init).body
                if isinstance(node, ast.ImportFrom)
                and (node.module or "").startswith(("zbus", "zbus_brokers"))
                for alias in node.names
            }
            assert imported <= set(listed(init)), init


if __name__ == "__main__":
    LIST.write_text("\n".join(public_names()) + "\n", encoding="utf-8")
