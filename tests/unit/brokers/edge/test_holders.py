from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from zbus_brokers.edge._holders import Holders

A, B, C = ("a", 1), ("b", 2), ("a", 3)


def test_each_that_comes_is_asked_for_and_the_last_that_goes_gives_all_back():
    holders = Holders()
    assert holders.add(A, b"x/", [b"x/"]) == [b"x/"]
    assert holders.add(B, b"x/", [b"x/"]) == [b"x/"]
    assert holders.add(B, b"x/", [b"x/"]) == [], "the same again changes nothing"
    assert holders.remove(A, b"x/") == ([b"x/"], [])
    assert holders.remove(B, b"x/") == ([b"x/"], [b"x/", b"x/"])
    assert (len(holders), holders.asked) == (0, [])


def test_who_takes_back_what_it_does_not_hold_takes_nothing_from_others():
    holders = Holders()
    holders.add(A, b"x/", [b"x/"])
    assert holders.remove(B, b"x/") == ([], [])
    assert holders.remove(C, b"x/") == ([], [])
    assert holders.asked == [b"x/"]


def test_connections_that_end_are_counted():
    holders = Holders()
    holders.add(A, b"", [b"x/", b"y/"])
    holders.add(B, b"", [b"x/"])
    assert holders.lose(b"") == []
    assert sorted(holders.lose(b"")) == [b"x/", b"x/", b"y/"]
    assert holders.lose(b"") == []


def test_a_new_connection_with_the_descriptor_of_an_ended_one_is_a_new_one():
    holders = Holders()
    holders.add(A, b"x/", [b"x/"])
    holders.add(B, b"x/", [b"x/"])
    holders.lose(b"x/")
    assert holders.add(A, b"x/", [b"x/"]) == [b"x/"]
    assert holders.lose(b"x/") == []
    assert len(holders.lose(b"x/")) == 3


def test_what_another_subscription_of_the_connection_still_grants_is_not_withdrawn():
    holders = Holders()
    holders.add(A, b"frame/", [b"frame/cam1/"])
    holders.add(A, b"frame/cam1/", [b"frame/cam1/"])
    assert holders.remove(A, b"frame/") == ([], [b"frame/cam1/"])
    assert holders.remove(A, b"frame/cam1/") == ([b"frame/cam1/"], [b"frame/cam1/"])


def test_there_is_room_for_so_many():
    holders = Holders(prefixes_max=3, per_connection_max=2)
    for prefix in (b"1", b"2"):
        assert holders.has_room(A, prefix)
        holders.add(A, prefix, [prefix])
    assert not holders.has_room(A, b"3")
    assert holders.has_room(A, b"1")
    holders.add(B, b"3", [b"3"])
    assert not holders.has_room(B, b"4")
    assert holders.has_room(B, b"1")


def test_one_key_leaves_room_for_others_whatever_its_connections():
    holders = Holders(prefixes_max=10, per_key_max=2)
    holders.add(A, b"1", [b"1"])
    holders.add(C, b"2", [b"2"])
    assert not holders.has_room(A, b"3")
    assert not holders.has_room(C, b"1")
    assert holders.has_room(B, b"3")
    holders.lose(b"1")
    assert holders.has_room(A, b"3")
    holders.add(A, b"3", [b"3"])
    holders.remove(C, b"2")
    assert holders.has_room(C, b"4")


actions = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "end"]), st.integers(0, 2), st.sampled_from([b"x", b"y"]))
)


@given(actions)
def test_nobody_is_ever_asked_for_too_little(taken):
    """Against the truth: connections with descriptors that are used again, as libzmq tells of them."""
    holders, asked = Holders(), Counter()
    live = {n: set() for n in range(3)}
    for action, n, prefix in taken:
        connection = ("k", n)
        if action == "add":
            live[n].add(prefix)
            asked.update(holders.add(connection, prefix, [prefix]))
        elif action == "remove":
            live[n].discard(prefix)
            asked.subtract(holders.remove(connection, prefix)[1])
        else:
            for held in live[n]:
                asked.subtract(holders.lose(held))
            live[n] = set()
        wanted = set().union(*live.values())
        assert all(asked[each] > 0 for each in wanted)
        assert sum(asked.values()) == len(holders.asked)


def test_who_comes_back_and_takes_back_what_it_does_not_hold_takes_nothing_from_others():
    holders = Holders()
    holders.add(A, b"x/", [b"x/"])
    holders.add(B, b"x/", [b"x/"])
    holders.lose(b"x/")
    assert holders.remove(B, b"x/") == ([b"x/"], []), "the descriptor of the one that ended"
    assert holders.asked
