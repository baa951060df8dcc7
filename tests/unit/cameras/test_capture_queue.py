import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras import Capture
from zbus.cameras._capture_queue import CaptureQueue


def capture(number: int) -> Capture:
    return Capture(np.zeros((1, 1), np.uint8), "mono8", number, 0, 0)


@given(st.integers(1, 6), st.lists(st.booleans(), max_size=40))
def test_every_capture_is_taken_in_order_or_counted(limit: int, puts: list[bool]) -> None:
    queue, taken, made = CaptureQueue(limit, lossless=False), [], 0
    for is_put in puts:
        if is_put:
            queue.put(capture(made))
            made += 1
        else:
            batch = queue.take_all()
            assert len(batch) <= limit
            taken += batch
    taken += queue.take_all()
    numbers = [item.frame_number for item in taken]
    assert numbers == sorted(set(numbers))
    assert made == len(numbers) + queue.dropped


def test_a_full_queue_drops_its_oldest() -> None:
    queue = CaptureQueue(2, lossless=False)
    for number in range(5):
        queue.put(capture(number))
    assert [item.frame_number for item in queue.take_all()] == [3, 4]
    assert queue.dropped == 3


def test_a_lossless_queue_waits_for_room() -> None:
    queue, done = CaptureQueue(1, lossless=True), threading.Event()
    queue.put(capture(0))
    thread = threading.Thread(target=lambda: (queue.put(capture(1)), done.set()), daemon=True)
    thread.start()
    taken = []
    while len(taken) < 2:
        taken += queue.take_all()
    assert done.wait(5.0)
    assert [item.frame_number for item in taken] == [0, 1]
    assert queue.dropped == 0


def test_closing_lets_a_waiting_put_go() -> None:
    queue = CaptureQueue(1, lossless=True)
    queue.put(capture(0))
    thread = threading.Thread(target=queue.put, args=(capture(1),), daemon=True)
    thread.start()
    queue.close()
    thread.join(5.0)
    assert not thread.is_alive()
