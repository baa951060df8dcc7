from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from zbus.errors import AddressInUse, NodeFailed
from zbus.nodes import Lifeline, take_lifeline
from zbus.nodes._lifeline import CAUSE_MAX_CHARS, SUPERVISOR_FD, read_last_words


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_it_ends_with_the_supervisor_and_not_before(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    ended = threading.Event()
    Lifeline(theirs.fileno()).watch(ended.set)
    assert not ended.wait(0.05)
    ours.close()
    assert ended.wait(20)


def test_last_words_arrive_with_code_and_next_step(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    assert Lifeline(theirs.fileno()).tell(AddressInUse("tcp://127.0.0.1:5551", next_step="zbus ps"))
    theirs.close()
    failure = read_last_words("directory", ours)
    assert isinstance(failure, NodeFailed)
    assert failure.cause == "directory: tcp://127.0.0.1:5551 is already in use"
    assert (failure.code, failure.exit_code, failure.next_step) == ("address_in_use", 5, "zbus ps")


def test_words_are_bounded_and_a_supervisor_that_is_gone_hears_none(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    lifeline = Lifeline(theirs.fileno())
    assert lifeline.tell(NodeFailed("\N{SNOWMAN}" * 100_000, next_step="y" * 100_000))
    failure = read_last_words("n", ours)
    assert failure is not None
    assert len(failure.cause) == len("n: ") + CAUSE_MAX_CHARS
    ours.close()
    assert not lifeline.tell(NodeFailed("x"))


@pytest.mark.parametrize("words", [b"", b"not json", b"[1]", b"\xff"])
def test_what_is_no_last_words_is_none(pair: tuple[socket.socket, socket.socket], words: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(words)
    assert read_last_words("n", ours) is None


def test_strange_fields_are_taken_as_they_can_be(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b'{"exit_code": "five", "cause": 3}')
    failure = read_last_words("n", ours)
    assert failure is not None
    assert (failure.cause, failure.code, failure.exit_code) == ("n: 3", "node_failed", 1)


def test_it_is_taken_out_of_the_environment_once(pair: tuple[socket.socket, socket.socket]) -> None:
    fd = pair[1].fileno()
    os.set_inheritable(fd, True)
    environment = {SUPERVISOR_FD: str(fd)}
    assert isinstance(take_lifeline(environment), Lifeline)
    assert environment == {}
    assert not os.get_inheritable(fd)
    assert take_lifeline(environment) is None


@pytest.mark.parametrize("value", ["", "x", "-1", "999999", "9" * 30])
def test_what_is_no_open_file_is_no_lifeline(value: str) -> None:
    assert take_lifeline({SUPERVISOR_FD: value}) is None
