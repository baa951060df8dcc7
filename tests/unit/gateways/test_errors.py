from __future__ import annotations

import pytest

from zbus.errors import (
    ConfigError,
    RequestRefused,
    RequestTimeout,
    TransportError,
    UnknownName,
    WireError,
    ZbusError,
)
from zbus.gateways._audience import TooManyViewers
from zbus.gateways._errors import error_form, status_of
from zbus.gateways._view import NoPicture


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownName("camera", "x", []), 404),
        (TooManyViewers(""), 503),
        (NoPicture(""), 504),
        (RequestTimeout(""), 504),
        (TransportError(""), 503),
        (WireError("bad_topic", ""), 400),
        (ConfigError(""), 400),
        (RequestRefused("unknown_node", ""), 404),
        (RequestRefused("busy", ""), 503),
        (RequestRefused("anything_else", ""), 409),
        (ZbusError(""), 500),
    ],
)
def test_each_error_has_one_status(error: ZbusError, status: int) -> None:
    assert status_of(error) == status


def test_an_error_says_what_to_do_next() -> None:
    assert error_form("busy", "full", "wait") == {
        "error": {"code": "busy", "cause": "full", "next_step": "wait"}
    }
