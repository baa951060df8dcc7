from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import KeysError
from zbus.transport import EVERYTHING, VIEWER, AllowedKey, Rights
from zbus.transport._allowed import KEYS_MAX, read_allowed, write_allowed

PATH = Path("/keys/allowed.toml")
PUBLIC = zmq.curve_keypair()[0].decode()
ONE = f'[a]\npublic = "{PUBLIC}"\n'


@pytest.mark.parametrize(
    ("right", "wanted", "got"),
    [
        ("", "", [""]),
        ("", "frame/cam1/", ["frame/cam1/"]),
        ("frame/cam1/", "frame/cam1/", ["frame/cam1/"]),
        ("frame/cam1/", "frame/", ["frame/cam1/"]),
        ("frame/cam1/", "frame", ["frame/cam1/"]),
        ("frame/cam1/", "", ["frame/cam1/"]),
        ("frame/cam1/", "frame/cam1", ["frame/cam1/"]),
        ("frame/cam1/", "frame/cam10/", []),
        ("frame/cam1/", "frame/cam2/", []),
        ("frame/cam1/", "frame.jpeg/cam1/", []),
        ("frame/", "frame.jpeg/", []),
    ],
)
def test_a_subscription_is_cut_to_the_right(right, wanted, got):
    assert Rights(subscribe=(right,)).narrow(wanted.encode()) == [each.encode() for each in got]


def test_a_wide_subscription_gets_every_part_that_is_allowed_and_no_more():
    rights = Rights(subscribe=("frame/cam1/", "tracks/", "state/"))
    assert rights.narrow(b"") == [b"frame/cam1/", b"tracks/", b"state/"]
    assert rights.narrow(b"frame") == [b"frame/cam1/"]
    assert Rights().narrow(b"") == []


prefixes = st.text("ab/", max_size=4).map(lambda text: text and f"{text}/")


@given(st.lists(prefixes, max_size=4), st.text("ab/", max_size=6), st.text("ab/", max_size=9))
def test_what_is_let_through_is_wanted_and_allowed_and_nothing_else_is(allowed, wanted, topic):
    rights = Rights(subscribe=tuple(allowed))
    granted = rights.narrow(wanted.encode())
    is_granted = any(topic.encode().startswith(prefix) for prefix in granted)
    is_allowed = any(topic.startswith(prefix) for prefix in allowed)
    assert is_granted == (is_allowed and topic.startswith(wanted))


def test_who_may_publish():
    rights = Rights(publish=("tracks/t1/",))
    assert rights.may_publish(b"tracks/t1/")
    assert not rights.may_publish(b"tracks/t10/")
    assert not Rights().may_publish(b"tracks/t1/")
    assert EVERYTHING.may_publish(b"anything")
    assert not VIEWER.may_publish(b"anything")


def test_what_is_written_is_read_again():
    keys = {
        "b.1": AllowedKey("b.1", PUBLIC, Rights(("tracks/b/",), ("", "frame/x/"), control=True)),
        "a": AllowedKey("a", zmq.curve_keypair()[0].decode(), VIEWER),
    }
    assert read_allowed(write_allowed(keys), PATH) == keys
    assert read_allowed(write_allowed({}), PATH) == {}
    assert write_allowed(keys).index("[a]") < write_allowed(keys).index('["b.1"]')


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a = 1",
        "[a]",
        "['../a']\npublic = 'x'",
        "[a]\npublic = 'short'",
        ONE + "publish = ['frame/cam1']",
        ONE + "subscribe = ['fr\u00e4me/']",
        ONE + 'subscribe = ["x\\n/"]',
        ONE + "subscribe = 'frame/'",
        ONE + "control = 1",
        ONE + "admin = true",
        ONE + "publish = [" + '"a/",' * 65 + "]",
        ONE + f'[b]\npublic = "{PUBLIC}"\n',
        "".join(f"[k{n}]\n" for n in range(KEYS_MAX + 1)),
    ],
)
def test_a_list_that_is_not_right_lets_nobody_in_and_says_where(text):
    with pytest.raises(KeysError) as refused:
        read_allowed(text, PATH)
    assert str(PATH) in refused.value.cause
    assert refused.value.next_step
