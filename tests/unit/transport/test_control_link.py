import logging
import secrets
import time
from contextlib import suppress

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import CameraError, TransportError, WireError
from zbus.transport import CONTROL_LINK, ControlLink, is_request, is_worth_a_line, make_socket, split_route
from zbus.transport._control_link import TOLD_MAX
from zbus.wire import Reply, Request, decode_reply, decode_request, encode_reply, encode_request


@pytest.fixture
def directory():
    """The other end: a ROUTER in the hands of the test."""
    with make_socket(zmq.ROUTER, CONTROL_LINK) as socket:
        socket.bind(f"inproc://{secrets.token_hex(8)}")
        yield socket


def count(calls):
    def verb(args):
        calls.append(args)
        return {"calls": len(calls)}

    return verb


def fail(error):
    def verb(args):
        raise error

    return verb


class Node:
    """A control link and the way to it."""

    def __init__(self, directory, verbs, on_reply=None):
        place = directory.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        self.link = ControlLink("n1", place, verbs, on_reply)
        self.link.open()
        self.directory = directory
        while not self.link.tell("announce", {}):
            assert self.link.socket.poll(10_000, zmq.POLLOUT)
        self.identity = self.take()[0]

    def take(self):
        assert self.directory.poll(10_000)
        return self.directory.recv_multipart()

    def ask(self, request, route=b"route"):
        self.send(route, *encode_request(request))
        _, came, *answer = self.take()
        assert came == route
        return decode_reply(answer)

    def send(self, *parts):
        self.directory.send_multipart([self.identity, *parts])
        assert self.link.socket.poll(10_000)
        self.link.serve()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()


def request(verb="go", request_id="r1", **options):
    return Request(request_id, "n1", verb, **options)


def test_a_request_is_done_and_answered_to_where_it_came_from(directory):
    calls = []
    with Node(directory, {"go": count(calls)}) as node:
        reply = node.ask(request(args={"speed": 2}), route=b"\0any bytes\xff")
        assert reply == Reply("r1", "n1", {"calls": 1})
        assert calls == [{"speed": 2}]


def test_the_same_request_is_done_once_and_answered_each_time(directory):
    calls = []
    with Node(directory, {"go": count(calls)}) as node:
        replies = [node.ask(request(request_id=name)) for name in ("a", "a", "b", "a")]
        assert [reply.result["calls"] for reply in replies] == [1, 1, 2, 1]
        assert len(calls) == 2


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (CameraError("no light", next_step="switch it on"), "camera", "no light"),
        (ValueError("odd"), "error", "ValueError: odd"),
    ],
)
def test_an_error_is_answered_and_not_tried_again(directory, error, code, cause, caplog):
    with Node(directory, {"go": fail(error)}) as node:
        reply = node.ask(request())
        assert (reply.ok, reply.error_code, reply.cause) == (False, code, cause)


@pytest.mark.parametrize(
    "result",
    [{"x": object()}, {"x": "x" * 300_000}, {1: 2}, {"x": float("nan")}, {"x": 2**70}, None, "\udc80"],
)
def test_a_result_that_cannot_travel_is_an_answer_and_not_done_again(directory, result, caplog):
    calls = []
    with Node(directory, {"go": lambda args: calls.append(1) or result}) as node:
        for _ in range(2):
            reply = node.ask(request())
            assert reply.error_code == "error"
            assert "was carried out" in reply.cause
        assert len(calls) == 1


def test_an_error_that_cannot_be_spelled_is_an_answer_too(directory, caplog):
    with Node(directory, {"go": fail(OSError("no file \udc80"))}) as node:
        assert node.ask(request()).error_code == "error"


def test_unknown_verbs_are_answered_with_the_known_ones(directory):
    with Node(directory, {"go": count([]), "stop": count([])}) as node:
        reply = node.ask(request("fly"))
        assert (reply.error_code, reply.next_step) == ("unknown_verb", "go, stop")


def test_what_comes_after_its_deadline_is_not_done(directory):
    calls, now_ns = [], time.time_ns()
    with Node(directory, {"go": count(calls)}) as node:
        late = request(asked_ns=now_ns - 9_000_000_000, timeout_ms=5_000)
        assert node.ask(late).error_code == "expired"
        within_tolerance = request(request_id="r2", asked_ns=now_ns - 6_000_000_000, timeout_ms=5_000)
        assert node.ask(within_tolerance).ok
        assert node.ask(request(request_id="r3", asked_ns=0)).ok
        assert len(calls) == 2


def test_replies_reach_their_callback_once_and_only_where_asked(directory):
    heard = []
    with Node(directory, {}, heard.append) as node:
        assert node.link.tell("announce", {"x": 1})
        asked = decode_request(node.take()[1:])
        assert asked.args == {"x": 1}
        answer = encode_reply(Reply(asked.request_id, "directory", {"lease_s": 2.0}))
        node.send(*answer)
        assert [reply.result for reply in heard] == [{"lease_s": 2.0}]
        node.send(*answer)
        node.send(*encode_reply(Reply("guessed", "directory", {"duplicate": True})))
        assert len(heard) == 1
        assert node.link.refused == 2


def test_the_memory_of_what_was_told_is_bounded(directory):
    with Node(directory, {}) as node:
        for _ in range(TOLD_MAX * 2):
            assert node.link.tell("announce", {})
        assert len(node.link._told) == TOLD_MAX


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=5))
def test_nothing_that_comes_ends_the_node(parts):
    link = ControlLink("n1", "tcp://127.0.0.1:1", {"go": count([])})
    with suppress(WireError):
        link._handle(parts)


def test_nonsense_is_counted_and_does_not_fill_the_log(directory, caplog):
    with Node(directory, {"go": count([])}) as node, caplog.at_level(logging.WARNING):
        for number in range(100):
            node.send(b"route", b"control/n1/", b"\xc1%d" % number)
        assert node.link.refused == 100
        assert len(caplog.records) == 7
        assert node.ask(request()).ok


def test_telling_without_a_directory_is_not_queued(free_endpoint):
    with ControlLink("n1", free_endpoint(), {}) as link:
        assert not link.tell("announce", {})


def test_a_verb_may_close_the_link(directory):
    verbs = {}
    with Node(directory, verbs) as node:
        node.link._verbs["stop"] = lambda args: node.link.close() or {}
        node.send(b"route", *encode_request(request("stop")))
        assert not node.link._own.is_open


def test_what_is_no_endpoint_leaves_nothing_open():
    link = ControlLink("n1", "nowhere", {})
    with pytest.raises(TransportError):
        link.open()
    link.close()


def test_routes_are_split_off():
    assert split_route([b"who", b"control/n1/", b"h"]) == (b"who", [b"control/n1/", b"h"])
    with pytest.raises(WireError):
        split_route([b"who", b"one"])


def test_requests_and_replies_are_told_apart():
    assert is_request([b"control/n1/", b""])
    assert not is_request([b"route", b"control/n1/", b""])


def test_the_log_has_a_line_for_each_doubling():
    assert [number for number in range(1, 20) if is_worth_a_line(number)] == [1, 2, 4, 8, 16]
