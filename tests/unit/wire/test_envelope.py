"""The envelope: what is sent comes back, payloads are not copied, and junk is refused."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import Event, Message, Origin, Topic, decode_message, encode_message, header_limit

TOPIC = Topic("event", "node1")
ORIGIN = Origin("node1", "s1", 3, 4)


@dataclass
class Note:
    """A body of a kind of its own."""

    kind: ClassVar[str] = "note"
    keys: dict[str, Any] = field(default_factory=dict)
    parts: tuple[bytes, ...] = ()

    def header(self):
        return self.keys

    def payload(self):
        return self.parts


@given(
    st.builds(
        Origin, st.text(max_size=64), st.text(max_size=64), st.integers(0, 2**63 - 1), st.integers(0, 9)
    )
)
def test_an_origin_comes_back(origin):
    message = decode_message(encode_message(TOPIC, origin, Event("gap")))
    assert (message.topic, message.origin) == (TOPIC, origin)


def test_unknown_kinds_and_keys_are_handed_on():
    message = decode_message(encode_message(Topic("note", "a"), ORIGIN, Note({"x": [1]}, (b"data",))))
    assert message.header["x"] == [1]
    assert message.payload == (b"data",)


def test_the_payload_is_the_sender_s_own_buffer_and_the_reader_s_is_the_message_s():
    data = bytearray(b"pixels")
    parts = encode_message(Topic("note", "a"), ORIGIN, Note(parts=(data,)))
    assert parts[2] is data
    assert decode_message(parts).payload[0] is data


def test_parts_may_be_views():
    parts = [memoryview(bytes(part)) for part in encode_message(TOPIC, ORIGIN, Event("gap"))]
    assert isinstance(decode_message(parts), Message)


def test_a_body_goes_out_on_a_topic_of_its_kind_only():
    with pytest.raises(WireError, match="bad_topic"):
        encode_message(Topic("state", "node1"), ORIGIN, Event("gap"))


def test_a_header_past_its_limit_is_not_sent():
    with pytest.raises(WireError, match="header_too_large"):
        encode_message(TOPIC, ORIGIN, Event("gap", {"x": b"y" * header_limit("event")}))


def test_an_unknown_kind_has_a_limit_too():
    assert header_limit("pose") == 65_536


@given(st.lists(st.binary(max_size=200), max_size=5))
@settings(max_examples=300)
def test_arbitrary_parts_raise_nothing_but_wire_errors(parts):
    with pytest.raises(WireError):
        decode_message(parts)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_arbitrary_headers_raise_nothing_but_wire_errors(header):
    with pytest.raises(WireError):
        decode_message([b"event/node1/", header])
