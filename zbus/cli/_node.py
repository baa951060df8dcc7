"""What every long-running verb does: one loop, ended by signals."""

from __future__ import annotations

from collections.abc import Callable

from zbus.nodes import allow_many_files, on_stop_signals
from zbus.transport import Reactor


def run_node(run: Callable[[Reactor], None]) -> None:
    """Run a node until SIGINT, SIGTERM, or `stop` by control."""
    allow_many_files()
    with Reactor() as reactor:
        on_stop_signals(reactor.stop)
        run(reactor)
