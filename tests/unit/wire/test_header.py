"""Headers: whatever arrives is a plain bounded map or a WireError, and what is sent can be read."""

import math

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire._header import (
    check_number,
    pack_map,
    read_flag,
    read_int,
    read_list,
    read_map,
    read_number,
    read_text,
    unpack,
    unpack_map,
)

LIMIT = 65_536
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.binary(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
HEADERS = st.dictionaries(st.text(max_size=8), VALUES, max_size=8)


READABLE = {
    "int": 5,
    "text": "a",
    "float": 0.5,
    "flag": True,
    "list": [1, 2],
    "map": {"k": 1},
    "nil": None,
    "half": "\ud83d",
}


def reason_of(call, *args):
    with pytest.raises(WireError) as caught:
        call(*args)
    return caught.value.reason


@given(HEADERS)
def test_a_plain_map_comes_back_or_is_too_deep_for_both_sides(header):
    try:
        data = pack_map(header, LIMIT)
    except WireError as error:
        assert error.reason == "header_too_deep"
        assert reason_of(unpack_map, msgpack.packb(header), LIMIT) == "header_too_deep"
    else:
        assert unpack_map(data, LIMIT) == header


@given(st.binary(max_size=400))
@settings(max_examples=500)
def test_arbitrary_bytes_raise_nothing_but_wire_errors(data):
    try:
        assert isinstance(unpack_map(data, LIMIT), dict)
    except WireError as error:
        assert len(str(error)) < 2_000


@given(HEADERS, st.data())
def test_a_damaged_header_raises_nothing_but_wire_errors(header, data):
    packed = bytearray(msgpack.packb(header))
    position = data.draw(st.integers(0, len(packed) - 1))
    packed[position] = data.draw(st.integers(0, 255))
    try:
        unpack_map(bytes(packed), LIMIT)
    except WireError:
        return


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**63, -(2**63) - 1, 2**64 - 1])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": (value,)}])
def test_numbers_that_not_everybody_can_read_are_not_sent(value, wrap):
    assert reason_of(pack_map, {"x": wrap(value)}, LIMIT) == "out_of_range"


def test_numpy_numbers_are_held_to_the_same():
    assert reason_of(pack_map, {"x": np.float64("nan")}, LIMIT) == "out_of_range"


def test_what_is_checked_elsewhere_is_not_looked_at_here():
    data = pack_map({"x": math.nan, "y": 1}, LIMIT, checked={"x"})
    assert unpack_map(data, LIMIT, checked={"x"})["y"] == 1
    assert reason_of(unpack_map, data, LIMIT) == "out_of_range"
    assert reason_of(pack_map, {"x": 1, "y": math.nan}, LIMIT) == "out_of_range"


@pytest.mark.parametrize("value", [object(), {1, 2}, 1 + 2j])
def test_what_has_no_msgpack_is_not_sent(value):
    assert reason_of(pack_map, {"x": value}, LIMIT) == "bad_msgpack"


def test_keys_that_are_not_text_are_not_sent():
    assert reason_of(pack_map, {"x": {1: 2}}, LIMIT) == "bad_msgpack"


def test_the_size_is_checked_on_both_sides():
    assert reason_of(pack_map, {"x": b"y" * 100}, 100) == "header_too_large"
    assert reason_of(unpack, b"\x00" * 101, 100) == "header_too_large"


def test_a_header_may_be_exactly_as_large_as_its_limit():
    data = pack_map({"x": b"y" * 10}, LIMIT)
    assert pack_map({"x": b"y" * 10}, len(data)) == data
    assert unpack_map(data, len(data))


def test_depth_is_counted_the_same_on_both_sides():
    value = []
    for _ in range(7):
        value = [value]
    assert unpack_map(pack_map({"x": value}, LIMIT), LIMIT) == {"x": value}
    assert reason_of(pack_map, {"x": [value]}, LIMIT) == "header_too_deep"


def test_a_list_that_holds_itself_ends():
    loop = []
    loop.append(loop)
    assert reason_of(pack_map, {"x": loop}, LIMIT) == "header_too_deep"


def test_single_floats_are_32_bits_wide():
    assert len(pack_map({"x": 0.5}, LIMIT)) - len(pack_map({"x": 0.5}, LIMIT, single_floats=True)) == 4


class TestReaders:
    def test_they_read(self):
        assert read_int(READABLE, "int", 5, 5) == 5
        assert read_text(READABLE, "text") == "a"
        assert read_number(READABLE, "int", 0, 9) == 5.0
        assert read_number(READABLE, "float", 0, 9) == 0.5
        assert read_flag(READABLE, "flag") is True
        assert read_list(READABLE, "list", 2) == [1, 2]
        assert read_map(READABLE, "map") == {"k": 1}
        assert read_map(READABLE, "absent") == {}

    @pytest.mark.parametrize(
        ("read", "args", "reason"),
        [
            (read_int, ("absent",), "missing_key"),
            (read_int, ("float",), "wrong_type"),
            (read_int, ("flag",), "wrong_type"),
            (read_int, ("int", 6), "out_of_range"),
            (read_int, ("int", 0, 4), "out_of_range"),
            (read_text, ("absent",), "missing_key"),
            (read_text, ("nil",), "wrong_type"),
            (read_text, ("text", 0), "out_of_range"),
            (read_text, ("half",), "wrong_type"),
            (read_number, ("flag", 0, 9), "wrong_type"),
            (read_number, ("int", 0, 4), "out_of_range"),
            (read_flag, ("int",), "wrong_type"),
            (read_flag, ("absent",), "missing_key"),
            (read_list, ("map", 9), "wrong_type"),
            (read_list, ("list", 1), "out_of_range"),
            (read_map, ("list",), "wrong_type"),
            (read_map, ("nil",), "wrong_type"),
        ],
    )
    def test_they_name_what_is_wrong(self, read, args, reason):
        assert reason_of(read, READABLE, *args) == reason

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_a_number_is_finite(self, value):
        assert reason_of(check_number, value, "x", -math.inf, math.inf) == "out_of_range"

    def test_a_huge_integer_is_out_of_range_and_no_overflow(self):
        assert reason_of(check_number, 10**400, "x", 0.0, 1.0) == "out_of_range"
