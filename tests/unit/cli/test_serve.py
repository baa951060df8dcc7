from __future__ import annotations

from typing import Any

import pytest

from zbus.compat.pymultivideo import FrontEnd


def test_a_front_end_is_given_its_settings(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(
        FrontEnd, "run", staticmethod(lambda settings, broker, reactor: taken.append(settings))
    )
    run("serve", "pymultivideo", "--camera", "cam1", "--dialect", "msgpack")
    assert (taken[0].camera, taken[0].dialect) == ("cam1", "msgpack")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["winamp"], 2, "No such command 'winamp'"),
        (["pymultivideo", "--dialect", "morse"], 2, "morse"),
    ],
)
def test_what_cannot_be_is_told(run: Any, arguments: list[str], code: int, words: str) -> None:
    assert words in run("serve", *arguments, ends_with=code).stderr
