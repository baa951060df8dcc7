from zbus.transport import Duplicate, Gap, Overrun, Repeat, Restart, SubscriberCounters
from zbus.transport import _subscriber_counters as counters_module


def test_each_finding_has_its_number():
    counters = SubscriberCounters()
    for finding in (
        Gap("t", 3, 7),
        Gap("t", 1, 9),
        Restart("t", "a", "b", 0.1),
        Duplicate("t", ("a", "b")),
        Repeat("t", 1),
        Overrun("t", 2),
    ):
        counters.note(finding)
    assert (counters.gaps, counters.lost) == (2, 4)
    assert (counters.restarts, counters.duplicates, counters.repeated, counters.overruns) == (1, 1, 1, 1)


def test_the_number_of_reasons_is_bounded(monkeypatch):
    monkeypatch.setattr(counters_module, "REASONS_MAX", 2)
    counters = SubscriberCounters()
    for reason in "abca":
        counters.refuse(reason)
    assert counters.refused == {"a": 2, "b": 1}
