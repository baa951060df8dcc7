from __future__ import annotations

import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from zbus.cli._text import OneLine, printable


@given(st.text())
def test_nothing_is_left_that_a_terminal_would_obey(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode()


def test_what_can_be_read_stays_as_it_is() -> None:
    assert printable("Käfer 3 µm") == "Käfer 3 µm"
    assert printable("a\nb\x1b[2J\ud800") == "a\\nb\\x1b[2J\\ud800"


def test_a_record_is_one_line_but_for_its_traceback() -> None:
    formatter = OneLine("%(levelname)s %(message)s")
    record = logging.LogRecord("x", logging.INFO, "f", 1, "from the wire: %s", ("a\nERROR b",), None)
    assert formatter.format(record) == "INFO from the wire: a\\nERROR b"
    try:
        raise ValueError("x")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "\nTraceback" in formatter.format(record)


def test_what_to_try_next_stands_in_the_same_line():
    record = logging.LogRecord("n", logging.WARNING, "", 0, "%s wants a key\n  try: make one", ("it",), None)
    assert OneLine("%(message)s").format(record) == "it wants a key; try: make one"
