"""The shelf: bounded in number and weight, and whoever holds the most makes room."""

from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.overlay import Shelf


def test_items_come_in_the_order_of_their_last_arrival():
    shelf = Shelf(9, 9)
    for key in "abca":
        shelf.put(key, key.upper(), "me")
    assert list(shelf) == [("b", "B"), ("c", "C"), ("a", "A")]
    assert "a" in shelf and "z" not in shelf


def test_pop_gives_the_item_away_once():
    shelf = Shelf(9, 9)
    shelf.put("a", 1, "me")
    assert shelf.pop("a") == 1
    assert shelf.pop("a") is None
    assert len(shelf) == 0


def test_the_heaviest_owner_gives_up_its_oldest():
    shelf = Shelf(100, 10)
    shelf.put("small", 0, "calm", 1)
    shelf.put("first", 0, "loud", 4)
    shelf.put("second", 0, "loud", 4)
    assert shelf.put("third", 0, "loud", 4) == 1
    assert [key for key, _ in shelf] == ["small", "second", "third"]


def test_the_newcomer_stays_even_when_it_is_too_heavy_alone():
    shelf = Shelf(2, 5)
    shelf.put("a", 0, "me", 1)
    shelf.put("b", 0, "you", 1)
    assert shelf.put("c", 0, "me", 50) == 2
    assert [key for key, _ in shelf] == ["c"]


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("xyz"), st.integers(1, 9)), max_size=80),
    st.integers(1, 9),
    st.integers(9, 40),
)
@settings(max_examples=100, deadline=None)
def test_the_bounds_and_the_ledger_hold(puts, max_items, max_weight):
    shelf, weights, evicted, replaced = Shelf(max_items, max_weight), {}, 0, 0
    for key, owner, weight in puts:
        replaced += key in shelf
        evicted += shelf.put(key, key, owner, weight)
        weights[key] = weight
        assert key in shelf
        assert len(shelf) <= max_items
        assert sum(weights[held] for held, _ in shelf) <= max_weight
    assert len(puts) == replaced + evicted + len(shelf)
