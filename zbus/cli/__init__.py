"""The zbus command: one file a verb, loaded when it is called."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from zbus.cli._main import zbus

    zbus(prog_name="zbus")
