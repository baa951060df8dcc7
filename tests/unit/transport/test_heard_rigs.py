from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zbus.transport import HeardRigs
from zbus.transport._heard_rigs import BEACONS_PER_S_MAX, MISSED_MAX, RIGS_MAX, RIGS_OF_ADDRESS_MAX
from zbus.wire import Beacon, encode_beacon

S = 1_000_000_000


def beacon(rig: str = "arena", session: str = "s1", directory: str = "tcp://127.0.0.1:5550", edge: str = ""):
    return encode_beacon(Beacon(rig, "rig1", session, 1_000, directory, edge))


def names(rigs: HeardRigs, now_ns: int) -> list[str]:
    return [each.beacon.rig for each in rigs.listing(now_ns)]


def test_a_rig_is_there_until_it_was_missed_three_times():
    rigs = HeardRigs()
    assert rigs.take(beacon(), "127.0.0.1", 0)
    assert names(rigs, MISSED_MAX * S) == ["arena"]
    assert names(rigs, MISSED_MAX * S + 1) == []


def test_a_rig_that_is_heard_again_is_one_rig():
    rigs = HeardRigs()
    for second in range(10):
        assert rigs.take(beacon(), "127.0.0.1", second * S)
    assert names(rigs, 9 * S) == ["arena"]


def test_one_that_started_anew_stands_in_place_of_the_old_one():
    rigs = HeardRigs()
    rigs.take(beacon(session="s1"), "127.0.0.1", 0)
    rigs.take(beacon(session="s2"), "127.0.0.1", S)
    assert [each.beacon.session for each in rigs.listing(S)] == ["s2"]


def test_rigs_of_one_name_are_told_apart_by_their_places():
    rigs = HeardRigs()
    for port in (5550, 6550):
        rigs.take(beacon(directory=f"tcp://127.0.0.1:{port}"), "127.0.0.1", 0)
    assert names(rigs, 0) == ["arena", "arena"]


def test_an_endpoint_is_believed_only_from_its_own_address():
    rigs = HeardRigs()
    lies = [
        ("10.0.0.9", beacon(directory="tcp://10.0.0.1:5550")),
        ("10.0.0.9", beacon(directory="tcp://127.0.0.1:5550")),
        ("10.0.0.9", beacon(directory="ipc:///tmp/x")),
        ("10.0.0.9", beacon(directory="tcp://10.0.0.9:5550", edge="tcp://10.0.0.1:5560")),
        ("127.0.0.1", beacon(directory="tcp://10.0.0.9:5550")),
    ]
    for address, data in lies:
        assert not rigs.take(data, address, 0)
    assert rigs.refused == {"bad_endpoint": len(lies)}
    assert rigs.take(beacon(directory="tcp://10.0.0.9:5550"), "10.0.0.9", 0)
    assert rigs.take(beacon(directory="ipc:///tmp/x"), "127.0.0.1", 0)
    assert rigs.take(beacon(directory="tcp://127.0.0.9:1"), "127.0.0.1", 0)


def test_what_cannot_be_read_is_counted_by_its_reason():
    rigs = HeardRigs()
    for data in (b"", b"\x90" * 1_201, b"\x80", beacon()[:-1]):
        assert not rigs.take(data, "127.0.0.1", 0)
    assert rigs.refused == {"bad_msgpack": 2, "header_too_large": 1, "missing_key": 1}


def test_one_address_cannot_fill_the_list():
    rigs = HeardRigs()
    for port in range(1, 2 * RIGS_OF_ADDRESS_MAX + 1):
        rigs.take(beacon(directory=f"tcp://10.0.0.6:{port}"), "10.0.0.6", 0)
    assert rigs.take(beacon(directory="tcp://10.0.0.1:5550"), "10.0.0.1", 0)
    assert len(rigs.listing(0)) == RIGS_OF_ADDRESS_MAX + 1
    assert rigs.dropped == RIGS_OF_ADDRESS_MAX


def test_the_list_is_bounded_and_those_on_it_are_still_heard():
    rigs = HeardRigs()
    addresses = [f"10.0.1.{number}" for number in range(RIGS_MAX + 5)]
    for address in addresses:
        rigs.take(beacon(directory=f"tcp://{address}:5550"), address, 0)
    assert (len(rigs.listing(0)), rigs.dropped) == (RIGS_MAX, 5)
    for address in addresses:
        rigs.take(beacon(directory=f"tcp://{address}:5550"), address, 2 * S)
    assert len(rigs.listing(4 * S)) == RIGS_MAX


def test_who_is_gone_makes_room():
    rigs = HeardRigs()
    for number in range(RIGS_MAX):
        rigs.take(beacon(directory=f"tcp://10.0.1.{number}:1"), f"10.0.1.{number}", 0)
    assert rigs.take(beacon(), "127.0.0.1", 4 * S)
    assert names(rigs, 4 * S) == ["arena"]


def test_a_flood_is_dropped_unread_until_the_next_second():
    rigs = HeardRigs()
    for _ in range(BEACONS_PER_S_MAX):
        rigs.take(b"", "10.0.0.6", S)
    assert not rigs.take(beacon(), "127.0.0.1", S)
    assert (rigs.refused.total(), rigs.dropped) == (BEACONS_PER_S_MAX, 1)
    assert rigs.take(beacon(), "127.0.0.1", 2 * S)


@given(st.lists(st.tuples(st.binary(max_size=1_300), st.ip_addresses(v=4).map(str)), max_size=50))
def test_whatever_comes_from_wherever_is_counted(datagrams: list[tuple[bytes, str]]):
    rigs = HeardRigs()
    taken = sum(rigs.take(data, address, 0) for data, address in datagrams)
    assert taken + rigs.refused.total() + rigs.dropped == len(datagrams)
