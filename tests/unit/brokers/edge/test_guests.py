import zmq

from zbus.transport import VIEWER, AllowedKey
from zbus_brokers.edge._guests import ANYBODY, Guests

LAPTOP = AllowedKey("laptop", "p", VIEWER)


class Lock:
    def find_sender(self, part):
        return LAPTOP if part.bytes == b"laptop" else None


def test_a_guest_is_known_by_its_key_and_without_a_lock_by_none():
    guests = Guests(Lock())
    assert guests.find(zmq.Frame(b"laptop")) is LAPTOP
    assert guests.find(zmq.Frame(b"x")) is None
    assert Guests(None).find(zmq.Frame(b"x")) is ANYBODY


def test_refusals_are_counted_and_told_now_and_then(caplog):
    guests = Guests(Lock())
    for _ in range(5):
        guests.refuse(LAPTOP, "draw")
    guests.refuse(None, "draw")
    assert guests.refused == 6
    assert [record.getMessage() for record in caplog.records] == [
        "laptop may not draw; refused 1 times by now",
        "laptop may not draw; refused 2 times by now",
        "laptop may not draw; refused 4 times by now",
        "a key that was revoked may not draw; refused 1 times by now",
    ]
