"""Text that came from elsewhere, made safe for a terminal and for a log of one line each."""

from __future__ import annotations

import logging

# What comes before the next step in an error that is told in a log.
_ADVICE = "\n  try: "


def printable(text: str) -> str:
    """`text` with everything that a terminal would obey, or that would begin a line, spelled out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class OneLine(logging.Formatter):
    """A record is a line, whatever a message from the wire holds; only a traceback has several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  Why: logging calls it so.
        """The line of a record."""
        return printable(super().formatMessage(record).replace(_ADVICE, "; try: "))
