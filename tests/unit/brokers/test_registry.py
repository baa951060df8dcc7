import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import RequestRefused
from zbus.wire import Reply, encode_reply
from zbus_brokers import Registry
from zbus_brokers import _registry as registry_module
from zbus_brokers._registry import LEASE_S, LISTED_MAX, TEXT_MAX_CHARS

S = 1_000_000_000


def args(node="n1", session="s1", **more):
    return {"node": node, "role": "camera", "session": session, "host": "h", "pid": 1, **more}


def announce(registry, at_s, *who, identity=b"i", **more):
    return registry.announce(args(*who, **more), identity, int(at_s * S))


def test_an_announced_node_is_found_and_listed():
    registry = Registry()
    _, is_new = announce(registry, 0, publishes=["frame/cam1/"], endpoints=["tcp://127.0.0.1:1"])
    assert is_new
    assert announce(registry, 1)[1] is False
    assert registry.find("n1") is not None
    assert registry.find("n2") is None
    listing = registry.listing(int(1.5 * S))
    assert (listing["nodes"][0]["node"], listing["nodes"][0]["age_s"], listing["left_out"]) == ("n1", 0.5, 0)


def test_rates_are_listed_as_announced_and_may_be_absent():
    registry = Registry()
    announce(registry, 0, rates={"frame/cam1/": 30, "state/n1/": 1.0})
    announce(registry, 0, "n2")
    assert [node["rates"] for node in registry.listing(0)["nodes"]] == [
        {"frame/cam1/": 30.0, "state/n1/": 1.0},
        {},
    ]


@pytest.mark.parametrize(
    "rates",
    [
        [30],
        {"frame/cam1/": "30"},
        {"frame/cam1/": True},
        {"frame/cam1/": -1.0},
        {"x" * (TEXT_MAX_CHARS + 1): 1.0},
        {f"state/n{number}/": 1.0 for number in range(LISTED_MAX + 1)},
    ],
)
def test_what_is_no_rate_is_refused(rates):
    with pytest.raises(RequestRefused, match="rates"):
        announce(Registry(), 0, rates=rates)


def test_the_lease_runs_out_and_not_before():
    registry = Registry()
    announce(registry, 0)
    announce(registry, 1)
    assert registry.expire(int((1 + LEASE_S) * S)) == []
    assert [entry.node for entry in registry.expire(int((1 + LEASE_S) * S) + 1)] == ["n1"]
    assert registry.names() == []


def test_who_leaves_is_forgotten_once():
    registry = Registry()
    announce(registry, 0)
    assert registry.leave("n1", "other") is None
    assert registry.leave("n1", "s1") is not None
    assert registry.leave("n1", "s1") is None


def test_two_live_sessions_are_duplicates_from_the_second_word_of_the_older():
    registry = Registry()
    announce(registry, 0, "n1", "old")
    announce(registry, 1, "n1", "new")
    assert not registry.is_duplicate("n1")
    announce(registry, 1.5, "n1", "old")
    assert registry.is_duplicate("n1")
    assert registry.find("n1").session == "new"
    assert [entry["duplicate"] for entry in registry.listing(2 * S)["nodes"]] == [True, True]


def test_a_restart_is_no_duplicate():
    registry = Registry()
    for at, session in enumerate(("a", "a", "b", "b", "c", "c")):
        announce(registry, at * 0.5, "n1", session)
        assert not registry.is_duplicate("n1")


def test_duplicates_end_with_one_of_them():
    registry = Registry()
    for at, session in enumerate(("old", "new", "old")):
        announce(registry, at * 0.5, "n1", session)
    registry.leave("n1", "old")
    assert not registry.is_duplicate("n1")


def test_topics_are_found_by_their_beginning():
    registry = Registry()
    announce(registry, 0, "n1", "s", publishes=["frame/cam1/", "state/n1/"], endpoints=["ipc:///x"])
    announce(registry, 0, "n2", "s", publishes=["frame/cam10/"])
    assert [each["node"] for each in registry.publishers("frame/cam1/")] == ["n1"]
    assert [each["node"] for each in registry.publishers("frame/")] == ["n1", "n2"]
    assert registry.publishers("tracks/") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"node": "a/b"},
        {"node": ""},
        {"node": 3},
        {"role": None},
        {"session": ""},
        {"host": "x" * (TEXT_MAX_CHARS + 1)},
        {"pid": "1"},
        {"pid": True},
        {"publishes": "frame/"},
        {"publishes": [1]},
        {"endpoints": ["x"] * (LISTED_MAX + 1)},
        {"endpoints": ["x" * (TEXT_MAX_CHARS + 1)]},
    ],
)
def test_what_breaks_the_spec_is_refused_and_not_kept(wrong):
    registry = Registry()
    with pytest.raises(RequestRefused) as refused:
        announce(registry, 0, **wrong)
    assert refused.value.code == "bad_message"
    assert registry.names() == []


def test_the_number_of_nodes_is_bounded(monkeypatch):
    monkeypatch.setattr(registry_module, "NODES_MAX", 2)
    registry = Registry()
    announce(registry, 0, "n1")
    announce(registry, 0, "n2")
    with pytest.raises(RequestRefused, match="2 nodes already") as refused:
        announce(registry, 0, "n3")
    assert refused.value.code == "busy"
    assert not announce(registry, 1, "n2")[1]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_listing_fits_a_reply_whatever_nodes_call_themselves(text):
    registry = Registry()
    for number in range(100):
        announce(registry, 0, f"n{number}", "s", publishes=[text] * 30, host=text[:200])
    listing = registry.listing(0)
    assert len(listing["nodes"]) + listing["left_out"] == 100
    assert encode_reply(Reply("r", "directory", listing))
