import threading

import numpy as np
import pytest

from zbus.errors import TransportError
from zbus.transport import RingReader, RingWriter
from zbus.transport._ring_file import open_ring_file


@pytest.fixture
def ring(tmp_path):
    with RingWriter("cam1", 6, 100, tmp_path) as ring:
        yield ring


def reader_of(ring, tmp_path, reference) -> RingReader:
    return RingReader(reference.ring, reference.generation, tmp_path)


def lock_of(ring, slot: int) -> int:
    return ring._memory._locks[ring._memory._place(slot) // 8]


def test_what_was_written_into_a_loan_is_read(ring, tmp_path):
    array = ring.loan(100)
    array[:] = 7
    reference = ring.commit(array.data)
    reader = reader_of(ring, tmp_path, reference)
    assert bytes(reader.pixels(reference.slot, 100)) == b"\x07" * 100
    assert reader.holds(reference.slot, reference.lock)


def test_the_lock_of_write_n_is_odd_during_it_and_2n_after(ring):
    array = ring.loan(10)
    (slot,) = ring._on_loan
    assert lock_of(ring, slot) == 1
    assert ring.commit(array).lock == lock_of(ring, slot) == 2
    assert ring.copy_in(b"x").lock == 4


def test_several_slots_can_be_on_loan_and_two_never_are(ring):
    loans = [ring.loan(10) for _ in range(6)]
    assert [loan is None for loan in loans] == [False] * 4 + [True] * 2
    references = [ring.copy_in(bytes([number])) for number in range(10)]
    assert len({reference.slot for reference in references}) == 2


def test_a_loan_that_is_dropped_comes_back_and_is_used_first(ring):
    array = ring.loan(10)
    (slot,) = ring._on_loan
    assert lock_of(ring, slot) % 2 == 1
    del array
    assert not ring._on_loan
    again = ring.loan(10)
    assert list(ring._on_loan) == [slot]
    assert ring.commit(again).lock == 4


def test_a_slot_is_not_written_to_while_this_process_looks_at_it(ring):
    kept = ring.loan(10)
    kept[:] = 1
    slot = ring.commit(kept).slot
    for number in range(20):
        assert ring.copy_in(bytes([number] * 10)).slot != slot
    assert (kept == 1).all()
    del kept
    assert slot in {ring.copy_in(b"x").slot for _ in range(6)}


def test_the_slot_written_longest_ago_is_written_over(ring):
    slots = [ring.copy_in(b"x").slot for _ in range(12)]
    assert slots[:6] == slots[6:]
    assert len(set(slots)) == 6


def test_an_overwritten_slot_is_known(ring, tmp_path):
    first = ring.copy_in(b"a" * 100)
    reader = reader_of(ring, tmp_path, first)
    for _ in range(5):
        ring.copy_in(b"b")
    assert reader.holds(first.slot, first.lock)
    loan = ring.loan(100)
    assert loan is not None
    assert not reader.holds(first.slot, first.lock)


def test_a_commit_may_be_repeated(ring):
    array = ring.loan(10)
    assert ring.commit(array) == ring.commit(array.data)


@pytest.mark.parametrize("shift", [1, 8, 64])
def test_only_the_start_of_a_loan_can_be_committed(ring, shift):
    array = ring.loan(100)
    assert ring.commit(array[shift:]) is None
    assert ring.owns(array[shift:])


def test_memory_from_elsewhere_is_not_the_rings(ring):
    assert ring.commit(bytes(10)) is None
    assert not ring.owns(bytes(10))


def test_what_does_not_fit_is_not_taken(ring):
    assert ring.loan(101) is None
    assert ring.copy_in(bytes(101)) is None


def test_pixels_begin_at_64_bytes(ring):
    arrays = [ring.loan(10) for _ in range(4)]
    assert all(array.ctypes.data % 64 == 0 for array in arrays)


def test_closing_removes_the_file_and_leaves_loans_alone(tmp_path):
    ring = RingWriter("cam1", 4, 100, tmp_path)
    ring.open()
    array = ring.loan(100)
    reference = ring.copy_in(b"y" * 100)
    reader = reader_of(ring, tmp_path, reference)
    ring.close()
    ring.close()
    assert not list(tmp_path.iterdir())
    array[:] = 1
    assert bytes(reader.pixels(reference.slot, 3)) == b"yyy"
    assert (ring.loan(1), ring.commit(array), ring.copy_in(b"x"), ring.owns(array)) == (
        None,
        None,
        None,
        False,
    )
    del array
    with pytest.raises(RuntimeError, match="once"):
        ring.open()


def test_the_folder_that_is_full_is_told(tmp_path):
    ring = RingWriter("cam1", 4, 100, tmp_path / "no")
    with pytest.raises(TransportError):
        ring.open()
    assert ring.name == ""


def test_a_ring_of_three_slots_is_none():
    with pytest.raises(ValueError, match="at least 4"):
        RingWriter("cam1", 3, 100)


def test_loans_of_one_thread_are_sent_by_another(tmp_path):
    """Every picture that the sender shows is the one that the other thread drew."""
    with RingWriter("cam1", 6, 1000, tmp_path) as ring:
        drawn, done = [], threading.Event()

        def draw() -> None:
            for number in range(2_000):
                array = ring.loan(1000)
                if array is None:
                    continue
                array[:] = number % 256
                drawn.append((number, array))
                if number % 7 == 0:
                    drawn.clear()
            done.set()

        thread = threading.Thread(target=draw)
        thread.start()
        shown = 0
        while not done.is_set() or drawn:
            try:
                number, array = drawn.pop(0)
            except IndexError:
                continue
            reference = ring.commit(array)
            file = open_ring_file(reference.ring, reference.generation, tmp_path)
            start = file.header.header_bytes + reference.slot * file.header.slot_stride + 64
            assert np.frombuffer(file.memory, np.uint8, 1000, start).tobytes() == bytes([number % 256]) * 1000
            shown += 1
        thread.join()
        assert shown > 0
        del array
        assert sorted(ring._free) == list(range(6))
