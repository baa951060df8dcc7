import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zbus.tracking._assignment import assign

COSTS = arrays(
    float,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.one_of(st.floats(0, 10), st.just(float("inf")), st.just(float("nan"))),
)


def least_cost(costs, gate):
    """By trying everything: the least summed cost where being left alone costs `gate`."""
    n, m = costs.shape
    padded = np.hstack([np.where(costs < gate, costs, gate), np.full((n, n), gate)])
    return min(padded[range(n), list(columns)].sum() for columns in itertools.permutations(range(n + m), n))


@settings(deadline=None)
@given(COSTS, st.floats(0.1, 12))
def test_the_pairs_are_feasible_distinct_and_cheapest(costs, gate):
    rows, columns = assign(costs, gate)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (costs[rows, columns] < gate).all()
    total = costs[rows, columns].sum() + gate * (len(costs) - len(rows))
    assert np.isclose(total, least_cost(costs, gate))


def test_nothing_is_paired_with_nothing():
    for shape in ((0, 0), (0, 3), (3, 0)):
        rows, columns = assign(np.empty(shape), 1.0)
        assert len(rows) == len(columns) == 0


def test_an_animal_without_a_blob_does_not_push_others_from_theirs():
    # The second animal is at its own blob; the first could take it only by sending the second to debris.
    costs = np.array([[0.6, np.inf], [0.0, 0.9]])
    rows, columns = assign(costs, 1.0)
    assert list(zip(rows, columns, strict=True)) == [(1, 0)]
