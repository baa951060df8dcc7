import threading

import pytest

from zbus.transport._bell import has_bell
from zbus.transport._board import BoardReader, BoardWriter
from zbus.wire import RING_SHOWN_AT, RingHeader, slot_stride

pytestmark = pytest.mark.skipif(not has_bell(), reason="there are no bells here")

ENTRIES = 8
HEADER = RingHeader(5, 4, slot_stride(100), 100, 1, 2, board_entries=ENTRIES, board_entry_bytes=128)


@pytest.fixture
def memory():
    return memoryview(bytearray(HEADER.file_bytes))


@pytest.fixture
def writer(memory):
    return BoardWriter(memory, HEADER)


@pytest.fixture
def reader(memory):
    return BoardReader(memory, HEADER)


def read_all(reader):
    return list(iter(reader.read, None))


def word(number: int) -> bytes:
    return b"notice %d" % number


def test_all_is_read_in_order_and_once(writer, reader):
    assert reader.read() is None
    for number in range(3 * ENTRIES):
        assert writer.show(word(number))
        assert reader.read() == word(number)
        assert reader.read() is None


def test_who_comes_late_reads_what_comes_from_then_on(writer, memory):
    writer.show(word(0))
    reader = BoardReader(memory, HEADER)
    writer.show(word(1))
    assert read_all(reader) == [word(1)]


def test_who_is_behind_goes_on_at_what_is_still_there(writer, reader):
    for number in range(3 * ENTRIES + 2):
        writer.show(word(number))
    assert read_all(reader) == [word(number) for number in range(2 * ENTRIES + 2, 3 * ENTRIES + 2)]


def test_what_is_too_large_is_not_shown(writer, reader):
    assert writer.show(bytes(112))
    assert not writer.show(bytes(113))
    assert read_all(reader) == [bytes(112)]


def test_a_notice_is_found_and_read_on_from(writer, reader):
    for number in range(5):
        writer.show(word(number))
    assert not reader.find(b"another")
    assert reader.find(word(2))
    assert read_all(reader) == [word(3), word(4)]
    for number in range(5, 5 + ENTRIES):
        writer.show(word(number))
    assert not reader.find(word(4)), "it was written over"


def test_an_entry_that_is_being_written_is_not_read(writer, reader, memory):
    for number in range(3):
        writer.show(word(number))
    memory.cast("Q")[(HEADER.board_start + 128) >> 3] = 2 * 1 + 1
    assert read_all(reader) == [word(0), word(2)]


@pytest.mark.parametrize("count", [2**64 - 1, 10**6, 1, 0])
def test_a_count_that_lies_ends_nobody(writer, reader, memory, count):
    for number in range(3):
        writer.show(word(number))
    read_all(reader)
    memory.cast("Q")[RING_SHOWN_AT >> 3] = count
    assert read_all(reader) == []
    assert not reader.find(b"x")
    assert reader.wait(0.0) is False
    memory.cast("Q")[RING_SHOWN_AT >> 3] = 3
    assert set(read_all(reader)) <= {word(0), word(1), word(2)}


def test_a_length_that_lies_is_not_believed(writer, reader, memory):
    writer.show(word(0))
    memory.cast("I")[(HEADER.board_start + 8) >> 2] = 2**32 - 1
    assert read_all(reader) == []


def test_waiting_ends_with_a_notice_and_with_a_ring_that_is_given_up(writer, reader):
    assert reader.wait(0.001) is False
    writer.show(word(0))
    assert reader.wait(3600.0) is True
    reader.read()
    done = threading.Event()
    thread = threading.Thread(target=lambda: (reader.wait(3600.0), done.set()))
    thread.start()
    while not done.wait(0.01):
        writer.ring()
    thread.join()
