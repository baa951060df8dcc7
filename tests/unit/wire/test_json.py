"""JSON from strangers: a value, or a WireError."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import load_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_comes_back(value):
    assert load_json(json.dumps(value).encode(), 1_000_000) == value


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=300)
def test_arbitrary_bytes_raise_nothing_but_wire_errors(data):
    try:
        load_json(data, 1_000)
    except WireError as error:
        assert error.reason == "bad_json"
        assert len(str(error)) < 300


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a": -Infinity}'])
def test_what_is_not_finite_is_not_json(text):
    with pytest.raises(WireError, match="bad_json"):
        load_json(text.encode(), 100)


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000])
def test_bombs_are_refused(bomb):
    with pytest.raises(WireError, match="bad_json"):
        load_json(bomb, 1_000_000)


def test_the_size_is_checked_first():
    with pytest.raises(WireError, match="too_large"):
        load_json(b"x" * 101, 100)


def test_a_byte_order_mark_is_no_mistake():
    assert load_json(b"\xef\xbb\xbf[1]", 100) == [1]
