"""States and events: whole, finite, and deaf to names from the future."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import (
    NODE_STATES,
    Event,
    Origin,
    State,
    Topic,
    decode_event,
    decode_message,
    decode_state,
    encode_message,
)

ORIGIN = Origin("node1", "s1", 0, 0)
STATE = State(
    "camera", "running", 5, "rig1", 42, "", {"frames": 3, "rate_hz": 29.5}, {"Gain": 1.5}, {"x": [None]}
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=5)
    | st.lists(st.integers(0, 9))
)
MAPS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


def travel(body):
    message = decode_message(encode_message(Topic(body.kind, "node1"), ORIGIN, body))
    return decode_state(message) if isinstance(body, State) else decode_event(message)


@given(st.sampled_from(NODE_STATES), st.text(max_size=512), MAPS, MAPS)
@settings(max_examples=100)
def test_a_state_comes_back(state, cause, values, details):
    sent = replace(STATE, state=state, cause=cause, settings=values, details=details)
    assert travel(sent) == sent


@given(st.text(max_size=64), MAPS)
def test_an_event_comes_back(name, fields):
    assert travel(Event(name, fields)) == Event(name, fields)


def test_a_long_cause_is_cut():
    assert travel(replace(STATE, cause="x" * 5_000)).cause == "x" * 512


def test_a_state_that_nobody_knows_is_not_sent():
    with pytest.raises(WireError, match="wrong_type"):
        replace(STATE, state="happy").header()


@pytest.mark.parametrize("counters", [{"a": "1"}, {"a": None}, {"a": True}, {"a": [1]}])
def test_counters_are_numbers(counters):
    with pytest.raises(WireError, match="wrong_type"):
        replace(STATE, counters=counters).header()


@pytest.mark.parametrize("body", [replace(STATE, counters={"a": math.nan}), Event("e", {"a": [math.inf]})])
def test_what_is_not_finite_is_not_sent(body):
    with pytest.raises(WireError, match="out_of_range"):
        encode_message(Topic(body.kind, "node1"), ORIGIN, body)
