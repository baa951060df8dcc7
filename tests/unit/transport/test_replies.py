from hypothesis import given
from hypothesis import strategies as st

from zbus.transport import ReplyCache


def test_a_reply_is_found_until_it_is_the_oldest_of_too_many():
    cache = ReplyCache(replies_max=2)
    for name in ("a", "b", "c"):
        cache.remember(name, [name.encode()])
    assert [cache.find(name) for name in ("a", "b", "c")] == [None, [b"b"], [b"c"]]
    assert cache.hits == 2


def test_a_reply_given_again_is_the_newest():
    cache = ReplyCache(replies_max=2)
    for name in ("a", "b", "a", "c"):
        cache.remember(name, [b""])
    assert cache.find("b") is None
    assert cache.find("a") is not None


def test_bytes_are_bounded_too_and_one_reply_is_always_kept():
    cache = ReplyCache(max_bytes=10)
    for name in ("a", "b", "c"):
        cache.remember(name, [b"xxx", b"xxx"])
    assert [cache.find(name) is None for name in ("a", "b", "c")] == [True, True, False]
    cache.remember("d", [b"x" * 99])
    assert cache.find("d")


def test_at_least_256_of_the_largest_replies_are_remembered():
    largest = [b"x" * 128, b"x" * 262_144]
    cache = ReplyCache()
    for number in range(255):
        cache.remember(str(number), largest)
    assert cache.find("0")


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 9))))
def test_the_bound_in_bytes_holds(steps):
    cache = ReplyCache(replies_max=3, max_bytes=12)
    for name, size in steps:
        cache.remember(name, [b"x" * size])
        kept = [cache.find(each) or [] for each in "abcde"]
        assert sum(len(part) for reply in kept for part in reply) <= 12
