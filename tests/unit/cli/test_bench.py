import json
from pathlib import Path
from typing import Any

import pytest

from zbus.cli import _bench


@pytest.mark.parametrize("name", _bench.BENCHES)
def test_every_bench_has_its_script(name: str) -> None:
    assert _bench.find_bench(name).is_file()


def test_it_runs_the_script_and_hands_its_end_on(run: Any, monkeypatch: Any) -> None:
    ran: list[list[str]] = []

    class Done:
        returncode = 1

    def take(words: list[str], check: bool) -> Done:
        ran.append(words)
        return Done()

    monkeypatch.setattr(_bench.subprocess, "run", take)
    run("bench", "codec", "--json", "--check", "--rounds", "2", "--sizes", "64x48", ends_with=1)
    assert ran[0][1].endswith("bench_codec.py")
    assert ran[0][2:] == ["--json", "--check", "--rounds", "2", "--sizes", "64x48"]


def test_without_a_checkout_it_says_where_to_get_one(run: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(_bench, "__file__", str(tmp_path / "zbus" / "cli" / "_bench.py"))
    told = run("bench", "--json", ends_with=3)
    error = json.loads(told.output)["error"]
    assert "without its checkout" in error["cause"]
    assert "clone" in error["next_step"]
