"""The intake: newest of each id, a budget a turn, a rate a sender, and bounded memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.overlay import SENDERS_MAX, Intake, sender_of
from zbus.wire import Overlay, parse_overlay

S = 1_000_000_000


def box(id="", camera="cam1", x=0):
    return Overlay("DRAW_BOX", {"TOP_LEFT": [x, 0], "BOTTOM_RIGHT": [9, 9]}, camera, id)


def left(intake):
    return [overlay.geometry["TOP_LEFT"][0] for overlay, _ in intake.take()]


def test_the_newest_of_each_id_is_left():
    intake = Intake()
    for x, name in enumerate(["a", "b", "a", "", ""]):
        assert intake.offer(box(name, x=x), 0)
    assert left(intake) == [1, 2, 3, 4]
    assert intake.counters == {"superseded": 1, "too_fast": 0, "over_budget": 0}
    assert intake.take() == []


def test_the_same_id_over_another_camera_is_another_shape():
    intake = Intake()
    intake.offer(box("a", "cam1"), 0)
    intake.offer(box("a", "cam2"), 0)
    assert len(intake.take()) == 2


def test_a_clear_keeps_its_place():
    clear = parse_overlay({"CLEAR": {}})
    for order, expected in (
        ([box("a"), clear], ["DRAW_BOX", "CLEAR"]),
        ([clear, box("a")], ["CLEAR", "DRAW_BOX"]),
        ([box("a"), clear, box("a")], ["CLEAR", "DRAW_BOX"]),
    ):
        intake = Intake()
        for overlay in order:
            intake.offer(overlay, 0)
        assert [overlay.verb for overlay, _ in intake.take()] == expected


def test_a_turn_has_a_budget_and_the_next_turn_another():
    intake = Intake(budget=3)
    for x in range(3):
        assert not intake.full
        intake.offer(box(x=x), 0)
    assert intake.full
    intake.offer(box(x=3), 0)
    assert left(intake) == [1, 2, 3]
    assert intake.counters["over_budget"] == 1
    assert not intake.full


def test_past_the_budget_the_loudest_sender_gives_way():
    intake = Intake(budget=10)
    intake.offer(box("honest"), 0)
    for x in range(1, 100):
        intake.offer(box(x=x), 0)
    assert left(intake) == [0, *range(91, 100)]


def test_a_sender_past_its_rate_is_left_out_and_others_are_not():
    intake = Intake(rate_hz=10, burst=5)
    assert [intake.offer(box("loud"), 0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert intake.offer(box("calm"), 0)
    assert intake.counters["too_fast"] == 2
    assert not intake.offer(box("loud"), S // 10 - 1)
    assert intake.offer(box("loud"), S // 5)


def test_a_long_silence_saves_up_no_more_than_a_burst():
    intake = Intake(rate_hz=10, burst=2)
    intake.offer(box("a"), 0)
    assert [intake.offer(box("a"), 3600 * S) for _ in range(3)] == [True, True, False]


def test_a_clock_that_steps_back_gives_nothing_away():
    intake = Intake(rate_hz=1, burst=1)
    assert intake.offer(box("a"), S)
    assert not intake.offer(box("a"), 0)


def test_senders_are_told_apart_by_name_then_id_then_camera():
    assert sender_of(box("a"), "key1") == sender_of(box("b"), "key1")
    assert sender_of(box("a")) != sender_of(box("b"))
    assert sender_of(box("a", "cam1")) == sender_of(box("a", "cam2"))
    assert sender_of(box(camera="cam1")) != sender_of(box(camera="cam2"))
    assert len({sender_of(box("x")), sender_of(box(camera="x")), sender_of(box(), "x")}) == 3


@given(st.integers(1, 3 * SENDERS_MAX), st.integers(1, 50))
@settings(max_examples=10, deadline=None)
def test_memory_is_bounded_whoever_sends(ids, budget):
    intake = Intake(budget=budget)
    for number in range(ids):
        intake.offer(box(f"id{number}"), 0)
    assert len(intake._buckets) <= SENDERS_MAX
    assert len(intake.take()) == min(ids, budget)
