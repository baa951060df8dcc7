"""What every long-running verb does: one loop, ended by signals or with its supervisor."""

from __future__ import annotations

from collections.abc import Callable

from zbus.nodes import end_with_supervisor, on_stop_signals
from zbus.transport import Reactor


def run_node(run: Callable[[Reactor], None]) -> None:
    """Run a node until SIGINT, SIGTERM, `stop` by control, or the end of its supervisor."""
    with Reactor() as reactor:
        on_stop_signals(reactor.stop)
        end_with_supervisor()
        run(reactor)
