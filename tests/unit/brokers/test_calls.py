from zbus_brokers._calls import ROUTE_BYTES, Call, Calls


def test_a_call_is_answered_once():
    calls = Calls()
    route = calls.open(b"asker", b"node", [b"parts"])
    assert len(route) == ROUTE_BYTES
    assert calls.close(route) == Call(b"asker", b"node", [b"parts"])
    assert calls.close(route) is None


def test_routes_tell_nothing_and_cannot_be_guessed():
    calls = Calls()
    routes = {calls.open(b"asker", b"node", []) for _ in range(100)}
    assert len(routes) == 100
    assert not any(b"asker" in route for route in routes)
    assert calls.close(b"asker") is None


def test_a_node_that_is_gone_loses_its_calls_and_no_others():
    calls = Calls()
    calls.open(b"a", b"gone", [b"n1"])
    kept = [calls.open(b"b", b"there", [b"n1"]), calls.open(b"d", b"gone", [b"n2"])]
    calls.open(b"c", b"gone", [b"n1"])
    assert [call.asker for call in calls.lose(b"gone", b"n1")] == [b"a", b"c"]
    assert calls.lose(b"gone", b"n1") == []
    assert None not in map(calls.close, kept)


def test_beyond_the_bound_the_oldest_is_forgotten():
    calls = Calls(calls_max=2)
    first, *others = (calls.open(b"a", b"n", []) for _ in range(3))
    assert calls.close(first) is None
    assert all(calls.close(route) for route in others)
