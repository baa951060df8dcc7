from __future__ import annotations

import inspect
import re

import pytest

from zbus import errors
from zbus.cli._main import zbus
from zbus.errors import (
    AddressInUse,
    ConfigError,
    NodeFailed,
    RequestRefused,
    UnknownName,
    WireError,
    ZbusError,
)


def tree() -> list[type[ZbusError]]:
    return [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, ZbusError)]


def test_an_error_is_its_cause_and_what_to_try() -> None:
    assert str(ZbusError("it broke")) == "it broke"
    assert str(ZbusError("it broke", next_step="mend it")) == "it broke\n  try: mend it"
    assert (ZbusError.code, ZbusError.exit_code) == ("error", 1)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "is wrong"),
        ({"key": "a.b"}, "a.b: is wrong"),
        ({"path": "r.toml"}, "r.toml: is wrong"),
        ({"path": "r.toml", "line": 3, "key": "a", "expected": "b"}, "r.toml:3: a: is wrong (expected b)"),
    ],
)
def test_a_wrong_setting_is_told_by_its_place(fields: dict[str, object], text: str) -> None:
    error = ConfigError("is wrong", **fields)  # type: ignore[arg-type]
    assert error.cause == text
    assert error.what == "is wrong"


def test_fields_are_carried() -> None:
    unknown = UnknownName("camera", "x", ["a", "b"])
    assert (unknown.what, unknown.name, unknown.known) == ("camera", "x", ["a", "b"])
    assert "there is: none" in str(UnknownName("camera", "x", []))
    assert WireError("bad_topic", "x").reason == "bad_topic"
    assert AddressInUse("tcp://x:1", next_step="y").endpoint == "tcp://x:1"
    assert (RequestRefused("busy", "x").code, RequestRefused.code) == ("busy", "error")
    failed = NodeFailed("x", code="camera", exit_code=7)
    assert (failed.code, failed.exit_code, NodeFailed("x").code) == ("camera", 7, "node_failed")


def test_every_exit_code_is_documented_in_the_help() -> None:
    documented = {int(code) for code in re.findall(r"(\d) [a-z]", str(zbus.help))}
    assert {each.exit_code for each in tree()} | {errors.EXIT_USAGE, 0} == documented
