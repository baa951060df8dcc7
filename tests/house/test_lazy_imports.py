"""Importing is cheap: neither the package nor the help of its command loads what is heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"cv2", "scipy", "numpy", "av", "fastapi", "uvicorn"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `code`."""
    script = f"{code}\nimport json, sys\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {module.split(".")[0] for module in json.loads(run.stderr.splitlines()[-1])}


@pytest.mark.parametrize("module", ["zbus", "zbus.errors", "zbus.plugins", "zbus.config"])
def test_importing_loads_nothing_heavy(module: str):
    assert not loaded_by(f"import {module}") & HEAVY


def test_a_public_name_is_there_when_it_is_asked_for():
    assert "zmq" in loaded_by("import zbus; zbus.Publisher")
    assert "zmq" not in loaded_by("import zbus")
    run = subprocess.run(
        [sys.executable, "-c", "import zbus; zbus.Nothing"], capture_output=True, check=False
    )
    assert b"AttributeError" in run.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_the_command_answers_at_once(words: list[str]):
    code = (
        "import contextlib, runpy, sys\n"
        f"sys.argv = ['zbus', *{words!r}]\n"
        "with contextlib.suppress(SystemExit):\n"
        "    runpy.run_module('zbus', run_name='__main__', alter_sys=True)\n"
    )
    assert not loaded_by(code) & HEAVY
