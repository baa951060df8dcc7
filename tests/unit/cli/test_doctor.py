from __future__ import annotations

import json
from typing import Any

import pytest

from zbus.cli import _doctor


def findings(output: str) -> dict[str, Any]:
    return {finding["what"]: finding for finding in json.loads(output)["findings"]}


def test_a_sound_machine_with_a_broker(run: Any, at: list[str]) -> None:
    found = findings(run("doctor", *at, "--json").output)
    assert found["libzmq"]["verdict"] == "ok"
    assert found["broker"]["verdict"] == "ok"
    assert "numpy" in run("doctor", *at).output


def test_without_a_broker_the_ports_are_looked_at(run: Any, broker: Any, free_endpoint: Any) -> None:
    where = ["--directory", free_endpoint(), "--publish", broker.publish, "--subscribe", free_endpoint()]
    found = findings(run("doctor", *where, "--json").output)
    assert "none answers" in found["broker"]["told"]
    assert "ss -ltnp" in found["port"]["mend"]


def test_what_is_missing_fails_with_how_to_mend_it(
    run: Any, at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_doctor, "_version", lambda name: "")
    result = run("doctor", *at, ends_with=1)
    assert "pip install numpy" in result.output
