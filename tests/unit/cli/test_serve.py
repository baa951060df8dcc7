from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zbus.compat.pymultivideo import FrontEnd


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Settings and broker of what would have run."""
    runs: list[Any] = []
    monkeypatch.setattr(
        FrontEnd, "run", staticmethod(lambda settings, broker, reactor: runs.append((settings, broker)))
    )
    return runs


def test_a_front_end_is_given_its_settings(run: Any, ran: list[Any]) -> None:
    run("serve", "pymultivideo", "--camera", "cam1", "--dialect", "msgpack")
    assert (ran[0][0].camera, ran[0][0].dialect) == ("cam1", "msgpack")


def test_what_is_served_is_told(run: Any, ran: list[Any]) -> None:
    (line,) = run("serve", "pymultivideo", "--camera", "cam1", "--put-rate", "0").stdout.splitlines()
    assert line == (
        "serving pymultivideo: camera cam1, dialect json, pub_address tcp://127.0.0.1:5555, "
        "pull_address tcp://127.0.0.1:5556, put_rate 0.0, pull_rate 10.0, color mosaic, module zbus; "
        "Ctrl-C ends it"
    )
    told = run("serve", "pymultivideo", "--camera", "cam1", "--insecure", "--config", "a.json").stdout
    assert told == "serving pymultivideo: camera cam1, config a.json, insecure; Ctrl-C ends it\n"


def test_addresses_stand_before_the_system_or_after_it(run: Any, ran: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("[broker]\ndirectory = 'tcp://127.0.0.1:1'\n")
    options = ["--rig", str(path), "--subscribe", "tcp://127.0.0.1:2"]
    run("serve", *options, "pymultivideo", "--camera", "cam1")
    run("serve", "pymultivideo", "--camera", "cam1", *options)
    assert ran[0][1] == ran[1][1]
    assert (ran[0][1].directory[-1], ran[0][1].subscribe[-1]) == ("1", "2")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["winamp"], 2, "No such command 'winamp'; there is: pymultivideo"),
        (
            ["pymultivideo", "--camera", "c", "--put-rate", "-1"],
            3,
            "error: --put-rate: must be from 0 to 1000",
        ),
        (["pymultivideo", "--dialect", "morse"], 2, "morse"),
    ],
)
def test_what_cannot_be_is_told(run: Any, arguments: list[str], code: int, words: str) -> None:
    assert words in run("serve", *arguments, ends_with=code).stderr
