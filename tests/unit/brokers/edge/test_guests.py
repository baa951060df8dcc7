import zmq

from zbus.transport import VIEWER, AllowedKey
from zbus_brokers.edge._guests import ANYBODY, ASKS_BURST, ASKS_HZ, BARRED_S, Guests

LAPTOP = AllowedKey("laptop", "p", VIEWER)


class Lock:
    barred = ()

    def bar(self, public, for_s):
        self.barred = (public, for_s)

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


def test_a_key_may_ask_so_much_and_no_more_until_time_has_passed():
    guests, other = Guests(Lock()), AllowedKey("other", "q", VIEWER)
    assert sum(guests.may_ask_now(LAPTOP, 5.0) for _ in range(1_000)) == ASKS_BURST
    assert guests.may_ask_now(other, 5.0)
    assert sum(guests.may_ask_now(LAPTOP, 6.0) for _ in range(1_000)) == ASKS_HZ
    assert sum(guests.may_ask_now(LAPTOP, 1e6) for _ in range(1_000)) == ASKS_BURST


def test_who_is_barred_is_barred_at_the_lock():
    lock = Lock()
    Guests(lock).bar(LAPTOP)
    assert lock.barred == (LAPTOP.public, BARRED_S)
    Guests(None).bar(ANYBODY)
