"""Control: requests and replies come back, and an answer can always be sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import Reply, Request, decode_reply, decode_request, encode_reply, encode_request

IDS = st.text(min_size=1, max_size=64)
MAPS = st.dictionaries(st.text(max_size=5), st.none() | st.integers(0, 9) | st.text(max_size=5), max_size=4)


@given(IDS, st.text(max_size=32), MAPS, st.integers(1, 600_000), st.integers(0, 2**63 - 1), IDS)
@settings(max_examples=100)
def test_a_request_comes_back(request_id, verb, args, timeout_ms, asked_ns, sender):
    request = Request(request_id, "node1", verb, args, timeout_ms, asked_ns, sender)
    assert decode_request(encode_request(request)) == request


@given(IDS, MAPS)
def test_a_reply_comes_back(request_id, result):
    reply = Reply(request_id, "node1", result)
    assert reply.ok
    assert decode_reply(encode_reply(reply)) == reply


@given(IDS, st.text(min_size=1, max_size=64), st.text(max_size=2_048), st.text(max_size=512))
def test_an_error_comes_back(request_id, code, cause, next_step):
    reply = Reply(request_id, "node1", error_code=code, cause=cause, next_step=next_step)
    assert not reply.ok
    assert decode_reply(encode_reply(reply)) == reply


def test_a_long_cause_is_cut_so_that_the_answer_can_be_sent():
    reply = decode_reply(
        encode_reply(Reply("r", "n", error_code="error", cause="c" * 9_999, next_step="n" * 9_999))
    )
    assert (len(reply.cause), len(reply.next_step)) == (2_048, 512)


def test_an_error_without_a_code_is_an_error_all_the_same():
    parts = encode_reply(Reply("r", "n", error_code="x"))
    empty = bytes(parts[1]).replace(b"\xa4code\xa1x", b"\xa4code\xa0")
    assert not decode_reply([parts[0], empty]).ok


def test_a_request_is_no_reply():
    with pytest.raises(WireError, match="bad_topic"):
        decode_reply(encode_request(Request("r", "n", "stop")))
    with pytest.raises(WireError, match="bad_topic"):
        decode_request(encode_reply(Reply("r", "n")))


@given(st.lists(st.binary(max_size=100), max_size=4), st.sampled_from([b"control/n/", b"reply/n/"]))
@settings(max_examples=300)
def test_arbitrary_parts_raise_nothing_but_wire_errors(parts, topic):
    for candidate in (parts, [topic, *parts]):
        for decode in (decode_request, decode_reply):
            with pytest.raises(WireError):
                decode(candidate)
