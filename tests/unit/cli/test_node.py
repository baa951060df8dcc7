from __future__ import annotations

import signal
from typing import Any

import pytest

from zbus.cli import _node
from zbus.cli._node import run_node


def test_a_signal_stops_the_loop_and_what_a_node_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    stops: list[Any] = []
    monkeypatch.setattr(_node, "on_stop_signals", stops.append)

    def node(reactor: Any) -> None:
        reactor.after(0.0, stops[0])
        reactor.run()
        assert reactor.stopping

    before = signal.getsignal(signal.SIGINT)
    run_node(node)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ZeroDivisionError):
        run_node(lambda reactor: 1 // 0)
