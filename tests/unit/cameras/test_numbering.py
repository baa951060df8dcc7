from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras import Capture
from zbus.cameras._numbering import Numbering


def capture(number: int) -> Capture:
    truth = {"event": "truth", "frame_number": number}
    return Capture(np.zeros((1, 1), np.uint8), "mono8", number, 0, 0, events=(truth, {"event": "line"}))


def test_gaps_are_counted() -> None:
    numbering = Numbering()
    kept = [numbering.carry_on(capture(number)).frame_number for number in (5, 6, 9, 10)]
    assert kept == [5, 6, 9, 10]
    assert numbering.camera_lost_frames == 2


def test_a_restarted_counter_is_carried_on_without_a_gap() -> None:
    numbering = Numbering()
    kept = [numbering.carry_on(capture(number)) for number in (0, 1, 2, 0, 1, 3)]
    assert [item.frame_number for item in kept] == [0, 1, 2, 3, 4, 6]
    assert [item.events[0]["frame_number"] for item in kept] == [0, 1, 2, 3, 4, 6]
    assert kept[4].events[1] == {"event": "line"}
    assert numbering.camera_lost_frames == 1


@given(st.lists(st.integers(0, 50), min_size=1))
def test_numbers_always_rise_and_account_for_every_gap(numbers: list[int]) -> None:
    numbering = Numbering()
    kept = [numbering.carry_on(capture(number)).frame_number for number in numbers]
    assert all(later > earlier for earlier, later in pairwise(kept))
    assert kept[-1] - kept[0] + 1 == len(kept) + numbering.camera_lost_frames
