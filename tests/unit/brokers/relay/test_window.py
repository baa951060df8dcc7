from __future__ import annotations

import pytest

from zbus_brokers.relay._window import SIZE_MAX, FrameWindow, Window

MS = 1_000_000


def send(window: Window, count: int, now_ns: int = 0, nbytes: int = 10) -> None:
    for _ in range(count):
        window.note_sent(nbytes, now_ns)


def test_a_window_is_full_by_messages_or_by_bytes_but_one_always_fits() -> None:
    window = Window(2, 100)
    assert window.has_room
    send(window, 2)
    assert not window.has_room
    assert window.take(1, 5) == [5]
    assert window.has_room
    large = Window(10, 100)
    send(large, 1, nbytes=1_000)
    assert not large.has_room
    large.take(1, 0)
    assert large.has_room


def test_a_count_that_comes_twice_or_cannot_be_changes_nothing() -> None:
    window = Window(10, 100)
    send(window, 3)
    assert len(window.take(2, 1)) == 2
    assert window.take(2, 1) == window.take(1, 1) == []
    assert window.take(10**18, 1) == [1]
    assert window.waiting == 0
    send(window, 1)
    assert window.take(3, 1) == []
    assert len(window.take(4, 1)) == 1


class Way:
    """A way between two hosts: so long, and so many ns for each frame where it is narrowest."""

    def __init__(self, rtt_ns: int, frame_ns: int) -> None:
        self.rtt_ns, self.frame_ns = rtt_ns, frame_ns
        self.free_ns = 0

    def arrival_ns(self, sent_ns: int) -> int:
        self.free_ns = max(self.free_ns, sent_ns) + self.frame_ns
        return self.free_ns + self.rtt_ns


def play(window: FrameWindow, way: Way, fps: float, seconds: float) -> tuple[int, list[int]]:
    """A camera's frames go over the way, the newest when there is room: how many, and their ages."""
    period_ns, sent, ages_ns = round(1e9 / fps), 0, []
    coming: list[tuple[int, int]] = []
    waiting: int | None = None
    taken = 0
    for now_ns in range(0, round(seconds * 1e9), MS):
        while coming and coming[0][0] <= now_ns:
            _, began_ns = coming.pop(0)
            taken += 1
            ages_ns.append(now_ns - way.rtt_ns // 2 - began_ns)
            window.note_taken(taken, 0, now_ns)
        if now_ns % period_ns < MS:
            waiting = now_ns
        if waiting is not None and window.has_room:
            window.note_sent(1, now_ns)
            coming.append((way.arrival_ns(now_ns), waiting))
            waiting, sent = None, sent + 1
        elif waiting is not None:
            window.was_full = True
    return sent, ages_ns


def test_on_a_long_way_it_grows_until_nothing_is_held_up() -> None:
    window = FrameWindow()
    sent, _ = play(window, Way(100 * MS, MS), 30, 10)
    assert window.size >= 4
    assert sent > 0.9 * 300


def test_on_a_narrow_way_it_shrinks_until_nothing_waits_there() -> None:
    window = FrameWindow()
    window.size = 16
    _, ages_ns = play(window, Way(2 * MS, 123 * MS), 30, 20)
    assert window.size <= 2
    assert max(ages_ns[-50:]) < 300 * MS


def test_what_came_too_late_halves_it() -> None:
    window = FrameWindow()
    window.size = 8
    send(window, 4)
    window.note_taken(1, 1, MS)
    assert window.size == 4
    window.note_taken(1, 1, MS)
    assert window.size == 4


@pytest.mark.parametrize("stale", [1, 100])
def test_its_size_has_bounds(stale: int) -> None:
    window = FrameWindow()
    for number in range(stale):
        window.note_taken(0, number + 1, MS)
    assert window.size >= 1
    for number in range(200):
        window.was_full = True
        send(window, 1, now_ns=number * 10 * MS)
        window.note_taken(number + 1, stale, number * 10 * MS + MS)
    assert window.size == SIZE_MAX
