from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from zbus.nodes import on_stop_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops(number: signal.Signals) -> None:
    stopped: list[int] = []
    on_stop_signals(lambda: stopped.append(1))
    os.kill(os.getpid(), number)
    assert stopped == [1]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_the_second_one_ends_the_process() -> None:
    script = (
        "import os, signal\nfrom zbus.nodes import on_stop_signals\non_stop_signals(lambda: None)\n"
        "[os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]\nprint('still here')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, b"")
