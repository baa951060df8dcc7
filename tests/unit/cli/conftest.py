"""The command line of a test: run in this process, with a runtime folder of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from zbus.cli._main import zbus


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="zb", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command to its end; nothing but an exit may leave it."""
    # Signals belong to the test runner here.
    monkeypatch.setattr("zbus.cli._node.on_stop_signals", lambda stop: None)

    def run(*arguments: str, ends_with: int = 0) -> Result:
        result = CliRunner().invoke(zbus, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code == ends_with, result.output
        return result

    return run


@pytest.fixture
def fail(run: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    """Run a command that fails, with --json: the one object that it prints."""

    def fail(*arguments: str, ends_with: int) -> dict[str, Any]:
        result = run(*arguments, "--json", ends_with=ends_with)
        (line,) = result.stdout.splitlines()
        return json.loads(line)["error"]

    return fail


@pytest.fixture
def at(broker: Any) -> list[str]:
    """Options that name the running broker."""
    return ["--directory", broker.directory, "--publish", broker.publish, "--subscribe", broker.subscribe]
