from __future__ import annotations

from zbus_brokers.relay._outbox import InOrder, NewestFrames, Outgoing


def frame(topic: str, number: int, nbytes: int = 10, thinned: int = 0) -> Outgoing:
    return Outgoing(topic, [b"%d" % number], nbytes, number, thinned)


def test_the_newest_of_each_topic_waits_in_the_order_of_the_topics() -> None:
    box = NewestFrames()
    assert [box.put(frame("a", 1)), box.put(frame("b", 2)), box.put(frame("a", 3))] == [0, 0, 1]
    assert len(box) == 2
    assert [box.pop(), box.pop(), box.pop()] == [frame("a", 3), frame("b", 2), None]


def test_what_was_left_out_on_purpose_is_carried_on() -> None:
    box = NewestFrames()
    for number, thinned in ((1, 2), (2, 0), (3, 1)):
        box.put(frame("a", number, thinned=thinned))
    assert box.pop() == frame("a", 3, thinned=3)


def test_bytes_are_bounded_but_one_frame_always_fits() -> None:
    box = NewestFrames(max_bytes=25)
    assert box.put(frame("a", 1, 100)) == 0
    assert box.put(frame("b", 2)) == 1
    assert box.put(frame("c", 3)) == 0
    assert box.put(frame("d", 4)) == 1
    assert [box.pop(), box.pop(), box.pop()] == [frame("c", 3), frame("d", 4), None]


def test_others_wait_in_order_and_the_oldest_goes() -> None:
    box = InOrder(depth=3, max_bytes=35)
    assert [box.put(frame("a", number)) for number in range(5)] == [0, 0, 0, 1, 1]
    assert box.put(frame("b", 5, 30)) == 3
    assert [box.pop(), box.pop()] == [frame("b", 5, 30), None]
    assert box.put(frame("b", 6, 100)) == 0
    assert len(box) == 1
