from dataclasses import replace

from zbus.transport._gaps import Gap, Overrun
from zbus.transport._inbox import Inbox
from zbus.transport._lifespan import Lifespan
from zbus.transport._subscriber_counters import SubscriberCounters
from zbus.transport._waiting import InOrder

from .messages import CAM, frame, message


class Pixels:
    """Pixels in a ring that were, or were not, written over."""

    def __init__(self, body: object) -> None:
        self.nbytes, self._body, self.kept = 10, body, 0

    def keep(self) -> bool:
        self.kept += 1
        return self._body is not None

    def read(self) -> object:
        return self._body


def make(found, *, keeps: bool = False, depth: int = 10):
    counters = SubscriberCounters()
    return counters, Inbox(InOrder(depth), Lifespan(0.0, is_local=True), counters, found.append, keeps=keeps)


def test_what_is_put_in_comes_out_and_gaps_are_told():
    found = []
    counters, inbox = make(found)
    for seq in (0, 1, 1, 5):
        inbox.put(message(seq), Pixels(seq), 10, 77)
    handed = []
    while (received := inbox.pop()) is not None:
        handed.append((received.body, received.received_mono_ns))
    assert handed == [(0, 77), (1, 77), (5, 77)]
    assert found == [Gap("event/n1/", 3, 2)]
    assert (counters.received, counters.delivered, counters.repeated, counters.lost) == (4, 3, 1, 3)


def test_pixels_that_were_written_over_are_told_when_they_are_read():
    found = []
    counters, inbox = make(found)
    inbox.put(message(0), Pixels(None), 10, 0)
    inbox.put(message(1), Pixels("whole"), 10, 0)
    received = inbox.pop()
    assert received is not None
    assert received.body == "whole"
    assert found == [Overrun("event/n1/", 0)]
    assert counters.overruns == 1


def test_pixels_are_kept_at_once_where_that_was_asked_for():
    found = []
    counters, inbox = make(found, keeps=True)
    lost, kept = Pixels(None), Pixels("whole")
    inbox.put(message(0), lost, 10, 0)
    inbox.put(message(1), kept, 10, 0)
    assert (lost.kept, kept.kept) == (1, 1)
    assert found == [Overrun("event/n1/", 0)]
    assert counters.delivered == 0


def test_a_full_queue_counts_what_it_passes_over():
    counters, inbox = make([], depth=2)
    for seq in range(5):
        inbox.put(message(seq), Pixels(seq), 10, 0)
    assert counters.skipped == 3
    received = inbox.pop()
    assert received is not None
    assert received.body == 3


def test_what_waits_for_nobody_is_judged_all_the_same():
    found = []
    counters, inbox = make(found)
    picture = frame(0)
    received = inbox.pass_through(message(0, topic=CAM), picture, 77)
    assert received is not None
    assert (received.body, received.received_mono_ns) == (picture, 77)
    assert inbox.pass_through(message(0, topic=CAM), picture, 78) is None
    assert inbox.pass_through(message(3, topic=CAM), None, 79) is None
    assert found == [Gap("frame/cam1/", 2, 1), Overrun("frame/cam1/", 3)]
    assert (counters.received, counters.delivered, counters.repeated, counters.overruns) == (3, 1, 1, 1)


def test_what_is_too_old_is_not_passed_through():
    counters = SubscriberCounters()
    inbox = Inbox(InOrder(10), Lifespan(0.2, is_local=True), counters, None, keeps=False)
    old = replace(message(0, topic=CAM), header={"relayed_mono_ns": 1})
    assert inbox.pass_through(old, frame(0), 77) is None
    assert counters.stale == 1
