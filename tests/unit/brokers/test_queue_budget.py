from hypothesis import given
from hypothesis import strategies as st

from zbus_brokers._queue_budget import QUEUE_BUDGET_BYTES, QUEUE_MAX, QUEUE_MIN, QueueBudget


def test_small_messages_have_a_long_queue():
    budget = QueueBudget()
    assert not budget.note(1_000)
    assert budget.depth == QUEUE_MAX


def test_a_large_message_shortens_it_at_once():
    budget = QueueBudget()
    assert budget.note(921_600)
    assert budget.depth == QUEUE_BUDGET_BYTES // 921_600
    assert not budget.note(1_000)
    assert budget.note(100_000_000)
    assert budget.depth == QUEUE_MIN


def test_after_two_periods_without_one_it_is_forgotten():
    budget = QueueBudget()
    budget.note(921_600)
    assert [budget.begin_period() for _ in range(3)] == [False, False, True]
    assert budget.depth == QUEUE_MAX


def test_while_large_ones_come_it_stays_short():
    budget = QueueBudget()
    for _ in range(5):
        budget.note(921_600)
        budget.note(10)
        budget.begin_period()
        assert budget.depth == QUEUE_BUDGET_BYTES // 921_600


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**31))))
def test_what_may_wait_is_never_more_than_the_budget_or_the_fewest(steps):
    budget = QueueBudget()
    for nbytes in steps:
        if nbytes is None:
            budget.begin_period()
            continue
        budget.note(nbytes)
        assert QUEUE_MIN <= budget.depth <= QUEUE_MAX
        assert budget.depth * nbytes <= QUEUE_BUDGET_BYTES or budget.depth == QUEUE_MIN
