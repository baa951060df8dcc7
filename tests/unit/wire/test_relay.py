from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.testing import load_vectors
from zbus.wire import RelayBye, RelayData, RelayNode, RelayNodes, RelayWant, decode_relay, encode_relay

NODES = RelayNodes((RelayNode("cam1", "camera", "s", 7, ("frame/cam1/",)),))


@pytest.mark.parametrize(
    "message", [RelayBye(), RelayWant(3, ("a/b/",)), NODES, RelayData(1, 2, [b"t", b"h"])]
)
def test_what_is_written_is_read_again(message: object) -> None:
    assert decode_relay(encode_relay(message)) == message  # type: ignore[arg-type]


def test_what_would_be_too_large_is_not_written() -> None:
    with pytest.raises(WireError, match="header_too_large"):
        encode_relay(RelayNodes(NODES.nodes * 10_000))


@given(st.lists(st.binary(max_size=64), max_size=6))
def test_noise_is_refused_and_nothing_else_happens(parts: list[bytes]) -> None:
    with pytest.raises(WireError):
        decode_relay([*parts, b""])


@given(st.data())
def test_a_flipped_byte_is_read_or_refused(data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from([each for each in load_vectors("relay") if each.expect]))
    header = bytearray(vector.parts[1])
    header[data.draw(st.integers(0, len(header) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decode_relay([vector.parts[0], bytes(header), *vector.parts[2:]])
    except WireError as error:
        assert error.reason
