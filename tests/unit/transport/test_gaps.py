from hypothesis import given
from hypothesis import strategies as st

from zbus.transport import Duplicate, Gap, GapDetector, Repeat, Restart
from zbus.transport._gaps import REPEAT_WINDOW
from zbus.wire import Topic

from .messages import TOPIC, message

S = 1_000_000_000


def findings(*said: tuple[str, int]) -> list[object]:
    detector = GapDetector()
    return [detector.observe(message(seq, session), at * S) for at, (session, seq) in enumerate(said)]


def test_in_order_nothing_is_amiss_and_a_late_joiner_missed_nothing():
    assert findings(("s1", 7), ("s1", 8), ("s1", 9)) == [None, None, None]


def test_a_gap_tells_how_many_and_from_where():
    assert findings(("s1", 0), ("s1", 4))[1] == Gap(str(TOPIC), 3, 1)


def test_a_new_session_is_a_restart_and_no_gap():
    assert findings(("s1", 5), ("s2", 40), ("s2", 41)) == [None, Restart(str(TOPIC), "s1", "s2", 1.0), None]


def test_sessions_that_alternate_are_two_publishers():
    told = findings(("s1", 0), ("s2", 0), ("s1", 1), ("s2", 1))
    assert told[2:] == [Duplicate(str(TOPIC), ("s2", "s1")), Duplicate(str(TOPIC), ("s1", "s2"))]


def test_two_restarts_are_no_duplicate():
    assert [type(each) for each in findings(("s1", 0), ("s2", 0), ("s3", 0))][1:] == [Restart, Restart]


def test_what_came_before_is_a_repeat_and_hides_no_gap():
    told = findings(("s1", 3), ("s1", 3), ("s1", 2), ("s1", 5))
    assert told == [None, Repeat(str(TOPIC), 3), Repeat(str(TOPIC), 2), Gap(str(TOPIC), 1, 4)]


def test_one_wild_number_does_not_turn_all_that_follow_into_repeats():
    told = findings(("s1", 0), ("s1", 2**62), ("s1", 1), ("s1", 2))
    assert isinstance(told[1], Gap)
    assert told[2:] == [None, None]


def test_topics_do_not_disturb_each_other():
    detector = GapDetector()
    for seq in range(3):
        for name in ("a", "b"):
            assert detector.observe(message(seq, topic=Topic("event", name)), 0) is None


def test_the_topic_longest_unheard_of_is_forgotten():
    detector = GapDetector(topics_max=2)
    old, busy = Topic("event", "old"), Topic("event", "busy")
    for topic, seq in ((busy, 0), (old, 0), (busy, 1), (Topic("event", "new"), 0)):
        detector.observe(message(seq, topic=topic), 0)
    assert isinstance(detector.observe(message(9, topic=busy), 0), Gap)
    assert detector.observe(message(9, topic=old), 0) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=200))
def test_received_and_lost_add_up(steps: list[tuple[bool, int]]):
    """Whatever is dropped or comes twice: last - first + 1 == handed over + lost."""
    detector, seq, first, taken, lost = GapDetector(), 0, None, 0, 0
    for is_repeated, dropped in steps:
        seq += 0 if is_repeated and first is not None else 1 + dropped
        first = seq if first is None else first
        finding = detector.observe(message(seq), 0)
        taken += not isinstance(finding, Repeat)
        lost += finding.lost if isinstance(finding, Gap) else 0
    assert first is not None
    assert seq - first + 1 == taken + lost


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50))
def test_no_sequence_confuses_it(seqs: list[int]):
    detector = GapDetector()
    for seq in seqs:
        finding = detector.observe(message(seq), 0)
        assert finding is None or isinstance(finding, Repeat) or finding.lost > 0


@given(st.integers(0, REPEAT_WINDOW - 1))
def test_a_repeat_is_within_the_window(behind: int):
    assert isinstance(findings(("s1", 5_000), ("s1", 5_000 - behind))[1], Repeat)
