import numpy as np
import pytest

from zbus.tracking._meetings import SURE_FRAMES, Meetings

BOTH = np.array([0, 1])
KNOWN = np.array([40.0, 50.0, 60.0])


def meet(*looks, frames=SURE_FRAMES, rows=BOTH):
    meetings = Meetings(3)
    meetings.touch(rows)
    for _ in range(frames):
        for row, gray in zip(rows.tolist(), looks, strict=True):
            meetings.see(row, gray)
    return meetings


def test_two_that_left_as_each_other_are_named_once():
    meetings = meet(50.0, 40.0)
    assert meetings.settle(KNOWN) == [(0, 1)]
    assert meetings.settle(KNOWN) == []
    assert not meetings.open_rows.any()


@pytest.mark.parametrize("looks", [(40.0, 50.0), (45.0, 45.0), (46.0, 45.5), (np.nan, 40.0)])
def test_without_clear_looks_everyone_stays_who_it_is(looks):
    assert meet(*looks).settle(KNOWN) == []


def test_no_judgement_before_it_is_sure():
    meetings = meet(50.0, 40.0, frames=SURE_FRAMES - 1)
    assert meetings.settle(KNOWN) == []
    assert meetings.open_rows.tolist() == [True, True, False]


def test_a_new_touch_starts_over():
    meetings = meet(50.0, 40.0)
    meetings.touch(BOTH)
    assert meetings.settle(KNOWN) == []


def test_unknown_looks_exchange_nobody():
    assert meet(50.0, 40.0).settle(np.full(3, np.nan)) == []


def test_three_that_turned_round_are_put_right_two_by_two():
    meetings = meet(50.0, 60.0, 40.0, rows=np.arange(3))
    order = np.arange(3)
    for i, j in meetings.settle(KNOWN):
        order[[i, j]] = order[[j, i]]
    assert np.array([50.0, 60.0, 40.0])[order].tolist() == KNOWN.tolist()
