import logging

import numpy as np
import pytest

from zbus.transport import RingOutlet, RingPlan, RingReader
from zbus.transport import _ring_file as ring_file_module
from zbus.transport import _ring_outlet as outlet_module
from zbus.wire import NO_RING


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_file_module, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr("zbus.transport._shmring.SHARED_MEMORY", tmp_path)
    return tmp_path


@pytest.fixture
def outlet():
    outlet = RingOutlet("cam1", RingPlan(seconds=0.1, rate_hz=60))
    yield outlet
    outlet.close()


@pytest.mark.parametrize(
    ("plan", "free", "slots"),
    [
        (RingPlan(seconds=1, rate_hz=30), 10**9, 30),
        (RingPlan(seconds=1, rate_hz=30, max_bytes=65_792 + 10_880), 10**9, 10),
        (RingPlan(seconds=1, rate_hz=200, max_bytes=256 + 100 * 2_112), 10**9, 100),
        (RingPlan(seconds=1, rate_hz=30), 2 * 65_792 + 20_000, 9),
        (RingPlan(seconds=0.001, rate_hz=1), 10**9, 4),
        (RingPlan(seconds=3600, rate_hz=1000), 10**9, 1024),
        (RingPlan(), 0, 0),
    ],
)
def test_how_many_slots(plan, free, slots):
    assert plan.slots(1000, free) == slots


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"rate_hz": -1}, {"max_bytes": 0}, {"seconds": 1e9}])
def test_a_plan_that_makes_no_sense(wrong):
    with pytest.raises(ValueError, match="must be"):
        RingPlan(**wrong)


def test_the_ring_is_made_with_the_first_picture(outlet, folder):
    assert (outlet.name, outlet.slots, outlet.why) == ("", 0, "no picture yet")
    array = outlet.loan((4, 5, 3), np.uint16)
    assert (array.shape, array.dtype) == ((4, 5, 3), np.uint16)
    assert (outlet.name, outlet.slots, outlet.why) == (next(folder.iterdir()).name, 6, "")


def test_a_loaned_picture_is_shown_without_a_copy(outlet, folder):
    array = outlet.loan((10, 10), np.uint8)
    array[:] = 3
    where = outlet.place(array.data)
    assert outlet.owns(array)
    reader = RingReader(where.ring, where.generation, folder)
    array[0, 0] = 4
    assert bytes(reader.pixels(where.slot, 3)) == b"\x04\x03\x03"


def test_a_picture_from_elsewhere_is_copied_in(outlet, folder):
    where = outlet.place(b"abc")
    assert bytes(RingReader(where.ring, where.generation, folder).pixels(where.slot, 3)) == b"abc"


def test_a_larger_picture_makes_another_ring_and_a_smaller_one_does_not(outlet, folder):
    first = outlet.place(bytes(100))
    reader = RingReader(first.ring, first.generation, folder)
    assert outlet.place(bytes(50)).ring == first.ring
    second = outlet.place(bytes(200))
    assert (second.ring, second.generation) != (first.ring, first.generation)
    assert [path.name for path in folder.iterdir()] == [second.ring]
    assert reader.holds(first.slot, first.lock)


def test_a_loan_of_the_ring_before_is_copied_into_the_new_one(outlet, folder):
    old = outlet.loan((10,), np.uint8)
    old[:] = 5
    outlet.place(bytes(200))
    where = outlet.place(old.data)
    assert where.ring == outlet.name
    assert bytes(RingReader(where.ring, where.generation, folder).pixels(where.slot, 10)) == b"\x05" * 10


def test_without_room_there_is_no_ring_and_one_warning(outlet, folder, monkeypatch, caplog):
    monkeypatch.setattr(outlet_module, "free_bytes", lambda: 100)
    with caplog.at_level(logging.WARNING):
        assert outlet.place(bytes(100)) == NO_RING
        assert outlet.loan((10, 10), np.uint8) is None
    assert "no room for 4 pictures" in outlet.why
    assert len(caplog.records) == 1
    assert not list(folder.iterdir())


def test_room_that_comes_back_is_used_after_a_while(outlet, monkeypatch):
    monkeypatch.setattr(outlet_module, "free_bytes", lambda: 0)
    assert outlet.place(bytes(100)) == NO_RING
    monkeypatch.setattr(outlet_module, "free_bytes", lambda: 10**9)
    assert outlet.place(bytes(100)) == NO_RING
    outlet._retry_s = 1e-9
    assert outlet.place(bytes(100)) != NO_RING
    assert outlet.why == ""


def test_where_there_is_no_shared_memory(outlet, monkeypatch):
    monkeypatch.setattr(outlet_module, "has_ring", lambda: False)
    assert outlet.place(bytes(100)) == NO_RING
    assert "no shared memory" in outlet.why
