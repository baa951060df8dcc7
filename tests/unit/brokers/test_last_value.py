from hypothesis import given
from hypothesis import strategies as st

from zbus_brokers import LastValueCache
from zbus_brokers._last_value import MESSAGE_MAX_BYTES


def state(name: str, body: bytes = b"x") -> list[bytes]:
    return [f"state/{name}/".encode(), body]


def kept(cache: LastValueCache, prefix: bytes = b"") -> list[bytes]:
    return [(cache.find(topic) or [])[1] for topic in cache.matching(prefix)]


def test_the_newest_of_each_topic_is_kept():
    cache = LastValueCache()
    for name, body in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        cache.remember(state(name, body))
    assert kept(cache) == [b"2", b"3"]
    assert len(cache) == 2


def test_only_states_are_its_business():
    cache = LastValueCache()
    assert cache.keeps(b"state/a/")
    assert not cache.keeps(b"frame/a/")
    assert not cache.keeps(b"states/a/")


def test_subscriptions_match_as_zeromq_matches():
    cache = LastValueCache()
    for name in ("cam1", "cam10"):
        cache.remember(state(name, name.encode()))
    assert kept(cache, b"state/cam1") == [b"cam1", b"cam10"]
    assert kept(cache, b"state/cam1/") == [b"cam1"]
    assert kept(cache, b"sta") == [b"cam1", b"cam10"]
    assert kept(cache, b"frame/") == []


def test_what_is_forgotten_is_gone_and_forgetting_twice_is_nothing():
    cache = LastValueCache()
    cache.remember(state("a"))
    cache.forget(b"state/a/")
    cache.forget(b"state/a/")
    assert cache.find(b"state/a/") is None
    assert len(cache) == 0


def test_too_large_a_state_is_counted_and_the_one_before_is_no_longer_the_last():
    cache = LastValueCache()
    cache.remember(state("a"))
    cache.remember(state("a", b"x" * MESSAGE_MAX_BYTES))
    assert (cache.too_large, len(cache)) == (1, 0)


def test_the_topic_longest_unheard_of_makes_room():
    cache = LastValueCache(topics_max=2)
    for name in ("a", "b", "a", "c"):
        cache.remember(state(name, name.encode()))
    assert kept(cache) == [b"a", b"c"]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef"), st.integers(0, 60))),
)
def test_the_bounds_hold(steps):
    cache = LastValueCache(topics_max=4, max_bytes=100)
    for is_forgotten, name, size in steps:
        if is_forgotten:
            cache.forget(f"state/{name}/".encode())
        else:
            cache.remember(state(name, b"x" * size))
        nbytes = [sum(map(len, cache.find(topic) or [])) for topic in cache.matching(b"")]
        assert len(nbytes) <= 4
        assert sum(nbytes) == cache._nbytes <= 100
