from hypothesis import given
from hypothesis import strategies as st

from zbus.transport._waiting import InOrder, NewestOfEach, Queue, Waiting
from zbus.wire import Topic

from .messages import message


def waiting(topic: str, seq: int, nbytes: int = 1) -> Waiting:
    return Waiting(message(seq, topic=Topic("frame", topic)), 0, nbytes)


def left(queue: Queue) -> list[tuple[str, int]]:
    taken: list[tuple[str, int]] = []
    while (item := queue.pop()) is not None:
        taken.append((item.message.topic.source, item.message.origin.seq))
    return taken


def test_in_order_keeps_the_newest_of_its_depth():
    queue = InOrder(3)
    assert [queue.put(waiting("a", seq)) for seq in range(5)] == [0, 0, 0, 1, 1]
    assert left(queue) == [("a", 2), ("a", 3), ("a", 4)]


def test_in_order_is_bounded_in_bytes_and_keeps_at_least_one():
    queue = InOrder(100, max_bytes=10)
    assert [queue.put(waiting("a", seq, 6)) for seq in range(3)] == [0, 1, 1]
    assert queue.put(waiting("a", 3, 50)) == 1
    assert left(queue) == [("a", 3)]


def test_only_the_newest_of_each_topic_is_left():
    queue = NewestOfEach()
    skipped = [queue.put(waiting(topic, seq)) for topic, seq in (("a", 0), ("b", 0), ("a", 1), ("a", 2))]
    assert skipped == [0, 0, 1, 1]
    assert left(queue) == [("a", 2), ("b", 0)]


def test_no_topic_loses_its_place_to_its_own_newer_messages():
    """A reader slower than two equal cameras hears of both."""
    queue, heard = NewestOfEach(), []
    for seq in range(6):
        queue.put(waiting("b", seq))
        queue.put(waiting("a", seq))
        item = queue.pop()
        assert item is not None
        heard.append(item.message.topic.source)
    assert heard == ["b", "a"] * 3


def test_the_newest_of_each_is_bounded_in_topics_and_bytes():
    assert NewestOfEach(topics_max=1).put(waiting("a", 0)) == 0
    queue = NewestOfEach(topics_max=2, max_bytes=10)
    assert [queue.put(waiting(topic, 0, 6)) for topic in "abc"] == [0, 1, 1]
    assert left(queue) == [("c", 0)]


@given(
    st.sampled_from([InOrder(4, 20), NewestOfEach(3, 20)]),
    st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("abcde"), st.integers(1, 9)))),
)
def test_what_goes_in_comes_out_or_is_counted(queue: Queue, steps: list[tuple[str, int] | None]):
    put = skipped = out = 0
    for step in steps:
        if step is None:
            out += queue.pop() is not None
        else:
            put += 1
            skipped += queue.put(waiting(step[0], put, step[1]))
    assert put == skipped + out + len(left(queue))
