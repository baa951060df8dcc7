from __future__ import annotations

import pytest

from zbus.transport import Refusal
from zbus_brokers.relay._admission import FIRST_WAIT_NS, LAST_WAIT_NS, Admission

FINAL = Refusal("it wants a key", "", is_final=True)
PASSING = Refusal("it closed the connection", "", is_final=False)


def test_a_refusal_is_told_once_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission("left")
    assert admission.describe() == {}
    for _ in range(3):
        admission.look(FINAL)
    assert admission.describe()["cause"] == "it wants a key"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "rig.key" in caplog.text
    assert "left does not let us in: it wants a key" in caplog.text
    admission.clear()
    assert admission.describe() == {}


def test_what_may_be_an_end_in_a_handshake_is_told_when_it_comes_again() -> None:
    admission = Admission("left")
    admission.look(PASSING)
    assert admission.cause == ""
    for _ in range(2):
        admission.try_again(PASSING)
        admission.look(PASSING)
    assert admission.cause == "it closed the connection"


def test_who_is_refused_asks_ever_more_seldom_until_nobody_refuses() -> None:
    admission = Admission("left")
    waits: list[int] = []
    for _ in range(6):
        waits.append(admission.wait_ns)
        admission.try_again(FINAL)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_WAIT_NS, LAST_WAIT_NS)
    admission.try_again(None)
    assert admission.wait_ns == FIRST_WAIT_NS
