from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import BEACON_MAX_BYTES, Beacon, beacon_address, decode_beacon, encode_beacon, read_beacon

PLAIN = Beacon("arena", "rig1", "9f86d081", 1_000, directory="tcp://127.0.0.1:5550")

beacons = st.builds(
    Beacon,
    rig=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    host=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    session=st.text("0123456789abcdef", min_size=1, max_size=64),
    period_ms=st.integers(100, 60_000),
    directory=st.ip_addresses(v=4).map(lambda address: f"tcp://{address}:5550"),
    edge=st.sampled_from(["", "tcp://10.0.0.1:5560", "tcp://[fe80::1]:5560"]),
    server_key=st.sampled_from(["", "x" * 40]),
)


@given(beacons)
def test_what_is_sent_is_read_and_fits(beacon: Beacon):
    data = encode_beacon(beacon)
    assert len(data) <= BEACON_MAX_BYTES
    assert decode_beacon(data) == beacon


@given(st.binary(max_size=1_500))
def test_whatever_comes_in_is_a_beacon_or_refused(data: bytes):
    try:
        decode_beacon(data)
    except WireError as error:
        assert error.reason


keys = st.sampled_from(["v", "rig", "host", "session", "period_ms", "directory", "edge"])
values = st.one_of(st.integers(), st.text(), st.none(), st.binary(), st.lists(st.integers()))


@given(st.dictionaries(keys, values))
def test_whatever_map_comes_in_is_a_beacon_or_refused(fields: dict[str, object]):
    try:
        read_beacon(PLAIN.to_map() | fields)
    except WireError as error:
        assert error.reason


def test_what_is_not_told_is_left_out():
    assert set(msgpack.unpackb(encode_beacon(PLAIN))) == {
        "v", "rig", "host", "session", "period_ms", "directory",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("beacon", "reason"),
    [
        (Beacon("arena", "rig1", "s", 1_000), "missing_key"),
        (Beacon("a rig", "rig1", "s", 1_000, directory="ipc:///x"), "bad_topic"),
        (Beacon("arena", "rig1", "s", 1_000, directory="tcp://rig1:5550"), "bad_endpoint"),
        (Beacon("arena", "rig1", "s", 0, directory="ipc:///x"), "out_of_range"),
    ],
)
def test_nothing_is_sent_that_a_listener_would_refuse(beacon: Beacon, reason: str):
    with pytest.raises(WireError, match=reason):
        encode_beacon(beacon)


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("tcp://10.0.0.1:5550", "10.0.0.1"),
        ("tcp://[fe80::1]:5550", "fe80::1"),
        ("tcp://rig1:5550", ""),
        ("tcp://10.0.0.300:5550", ""),
        ("tcp://10.0.0.1:70000", ""),
        ("ipc:///run/x", ""),
    ],
)
def test_the_address_of_an_endpoint(endpoint: str, address: str):
    assert beacon_address(endpoint) == address
