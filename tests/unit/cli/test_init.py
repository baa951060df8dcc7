from __future__ import annotations

import sys

import pytest

from zbus.cli import main


def test_the_command_ends_the_process_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/zbus", "spec", "99"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    assert "no chapter is called '99'" in capsys.readouterr().err
