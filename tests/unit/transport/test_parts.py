"""The parts of a message: sent and received whole, never waited for, copied only where they are small."""

import pytest
import zmq

from zbus.transport import SMALL_IN, SMALL_OUT, bind, can_read, make_socket, recv_frames, send_parts
from zbus.transport._parts import COPY_MAX_BYTES, count_bytes, recv_parts

DEADLINE_MS = 5_000


@pytest.fixture
def pair():
    with make_socket(zmq.PUSH, SMALL_OUT) as sender, make_socket(zmq.PULL, SMALL_IN) as receiver:
        receiver.connect(bind(sender, "tcp://127.0.0.1:0"))
        assert sender.poll(DEADLINE_MS, zmq.POLLOUT)
        yield sender, receiver


def test_a_message_arrives_whole(pair):
    sender, receiver = pair
    large = memoryview(bytes(COPY_MAX_BYTES))
    assert send_parts(sender, [b"topic", b"", large])
    assert receiver.poll(DEADLINE_MS)
    parts = recv_parts(receiver)
    assert parts == [b"topic", b"", large]
    assert [type(part) for part in parts] == [bytes, bytes, memoryview]
    assert count_bytes(parts) == 5 + COPY_MAX_BYTES


def test_where_nothing_is_there_nothing_is_waited_for(pair):
    sender, receiver = pair
    assert recv_parts(receiver) is None
    assert not can_read(receiver)
    assert send_parts(sender, [b"one"])
    assert receiver.poll(DEADLINE_MS)
    assert can_read(receiver)


def test_what_is_wanted_is_waited_for_and_not_for_ever(pair):
    sender, receiver = pair
    assert recv_parts(receiver, 1) is None
    assert send_parts(sender, [b"a"])
    assert recv_parts(receiver, 2**40) == [b"a"]
    assert recv_parts(receiver) is None


def test_what_was_received_can_be_sent_on(pair):
    sender, receiver = pair
    assert send_parts(sender, [b"a", b"b"])
    assert receiver.poll(DEADLINE_MS)
    frames = recv_frames(receiver)
    assert send_parts(sender, frames)
    assert receiver.poll(DEADLINE_MS)
    assert recv_parts(receiver) == [b"a", b"b"]


def test_without_room_it_says_so():
    with make_socket(zmq.PUSH, SMALL_OUT) as lonely:
        bind(lonely, "tcp://127.0.0.1:0")
        assert not send_parts(lonely, [b"a", b"b"])


def test_views_of_wider_numbers_are_counted_in_bytes():
    assert count_bytes([memoryview(bytes(8)).cast("H"), bytearray(3)]) == 11
