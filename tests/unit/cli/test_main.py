from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from zbus.cli import _main
from zbus.cli._main import VERBS, zbus
from zbus.errors import ZbusError


def test_help_lists_every_verb_and_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom click.testing import CliRunner\nfrom zbus.cli._main import zbus\n"
        "result = CliRunner().invoke(zbus, ['--help'])\nprint(result.output)\n"
        "print([name for name in ('numpy', 'zmq', 'cv2', 'scipy', 'msgpack') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"  {verb} " in done.stdout for verb in VERBS)
    assert "Exit codes: 0 done" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_or_a_sentence(run: Any, verb: str) -> None:
    for option in ("--help", "-h"):
        assert f"Usage: zbus {verb}" in run(verb, option).output.replace("Usage: root", "Usage: zbus")


@pytest.mark.parametrize("source", ["sim", "file", "opencv"])
def test_every_camera_has_help_of_its_own(run: Any, source: str) -> None:
    assert "--fps" in run("camera", source, "--help").output


def test_the_version(run: Any) -> None:
    assert run("--version").output.startswith("zbus, version ")


def test_a_verb_that_there_is_not_is_wrong_usage(run: Any) -> None:
    assert "No such command 'dmeo'" in run("dmeo", ends_with=2).stderr


class Odd(ZbusError):
    code = "odd"
    exit_code = 9


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.option("--json", is_flag=True)
    def fail(json: bool) -> None:
        raise Odd("it is\n\x1b[31modd", next_step="zbus even")

    monkeypatch.setattr(_main.zbus, "get_command", lambda ctx, name: fail)


def test_an_error_is_a_cause_and_a_next_step_on_stderr(failing: None) -> None:
    result = CliRunner().invoke(zbus, ["fail"])
    assert (result.exit_code, result.stdout) == (9, "")
    assert result.stderr == "error: it is\\n\\x1b[31modd\n  try: zbus even\n"


def test_for_a_program_it_is_one_object_on_stdout(failing: None) -> None:
    result = CliRunner().invoke(zbus, ["fail", "--json"])
    assert (result.exit_code, result.stderr) == (9, "")
    assert result.stdout == (
        '{"error": {"code": "odd", "cause": "it is\\n\\u001b[31modd", "next_step": "zbus even"}}\n'
    )


def test_wrong_usage_is_an_object_too(fail: Any) -> None:
    told = fail("demo", "--animals", "many", ends_with=2)
    assert "'many' is not a valid integer" in told["cause"]
    assert told["next_step"].endswith("demo --help")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m zbus spec all | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", ["spec", "--help", "ps", "ps --json", "--version"])
def test_a_full_disk_is_no_traceback(arguments: str) -> None:
    command = f"{sys.executable} -m zbus {arguments} > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the output cannot be written: No space left on device\n  try: write it elsewhere\n"
    )


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">&-"])
def test_closed_files_are_none_to_stumble_over(tmp_path: Path, closed: str) -> None:
    command = f"{sys.executable} -m zbus -v up {tmp_path} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_closed_file_keeps_its_number() -> None:
    script = (
        "import os, sys\nfrom zbus.cli._main import _fill_standard_files\n_fill_standard_files()\n"
        "print(sys.stderr.fileno(), os.get_inheritable(2), flush=True)\nprint('x', file=sys.stderr)"
    )
    command = f'{sys.executable} -c "{script}" 2>&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "2 True\n")


def test_the_descriptor_is_the_one_of_the_nodes() -> None:
    from zbus.nodes import _lifeline

    assert _main.SUPERVISOR_FD == _lifeline.SUPERVISOR_FD
