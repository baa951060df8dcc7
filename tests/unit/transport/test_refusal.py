import pytest
import zmq

from zbus.transport import ClientKey
from zbus.transport._refusal import read_refusal

public, secret = (part.decode() for part in zmq.curve_keypair())
KEY = ClientKey("laptop", public, secret, public)
PROTOCOL = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
MISMATCH = int(zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
WHERE = "tcp://10.0.0.1:5560"


@pytest.mark.parametrize(
    ("event", "value", "key", "word", "is_final"),
    [
        (PROTOCOL, MISMATCH, None, "wants a key", True),
        (PROTOCOL, MISMATCH, KEY, "takes no keys", True),
        (zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400, KEY, "was refused", True),
        (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 32, KEY, "not the rig", False),
    ],
)
def test_each_refusal_has_its_words_and_a_next_step(event, value, key, word, is_final):
    refusal = read_refusal(event, value, WHERE, key)
    assert refusal is not None
    assert word in refusal.cause
    assert WHERE in refusal.cause
    assert refusal.next_step
    assert refusal.is_final is is_final
    assert secret not in refusal.cause + refusal.next_step


@pytest.mark.parametrize(
    ("event", "value", "key"),
    [
        (PROTOCOL, 0, None),
        (PROTOCOL, 0, KEY),
        (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 32, None),
        (zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400, None),
    ],
)
def test_what_is_no_refusal_says_nothing(event, value, key):
    assert read_refusal(event, value, WHERE, key) is None
