"""The descent of the house: the contracts of pyproject hold for what exists."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .plan import ROOMS, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def is_there(module: str) -> bool:
    place = ROOT / ("brokers" if module.startswith("zbus_brokers") else ".") / module.replace(".", "/")
    return (place / "__init__.py").exists() or place.with_suffix(".py").exists()


def layer_names(contract: dict[str, object]) -> list[str]:
    layers = contract.get("layers", [])
    assert isinstance(layers, list)
    return [part.strip(" ()") for layer in layers for part in layer.split("|")]


def test_the_contracts_hold(tmp_path: Path):
    """Run as anybody runs it. A layer that is not built yet is left out; one that is there is not."""
    text = (ROOT / "pyproject.toml").read_text()
    missing = [
        part for contract in CONTRACTS["contracts"] for part in layer_names(contract)
        if not is_there(f"zbus.{part}")
    ]  # fmt: skip
    for part in missing:
        text = text.replace(f'  "{part}",\n', "").replace(f" | {part}", "").replace(f"{part} | ", "")
    for module in absent_modules():
        text = text.replace(f'"{module}", ', "").replace(f', "{module}"', "").replace(f'"{module}"', "")
    config = tmp_path / "pyproject.toml"
    config.write_text(text)
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()",
         "--config", str(config), "--no-cache"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'brokers'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def absent_modules() -> list[str]:
    named = {
        module
        for contract in CONTRACTS["contracts"]
        for key in ("source_modules", "forbidden_modules")
        for module in contract.get(key, [])
    }
    return sorted(module for module in named if module.startswith("zbus") and not is_there(module))


@pytest.mark.parametrize("room", sorted(ROOMS - {"spec", "decisions", "testing"}))
def test_every_room_with_code_is_in_the_descent(room: str):
    """A new room that no layer names would be free to import anything."""
    layers = {part for contract in CONTRACTS["contracts"] for part in layer_names(contract)}
    assert room in layers or not is_there(f"zbus.{room}")


def test_no_room_stands_outside_the_plan():
    rooms = {path.parent.name for path in (ROOT / "zbus").glob("*/__init__.py")}
    assert rooms <= ROOMS
