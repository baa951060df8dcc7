import pytest
import zmq

from zbus.config import BrokerPlan
from zbus.errors import KeysError
from zbus.transport import ClientKey, KeysFolder, Rights, check_key, key_of, load_client_key


def pair():
    return [part.decode() for part in zmq.curve_keypair()]


@pytest.fixture
def path(tmp_path):
    keys = KeysFolder(tmp_path / "keys")
    keys.make_rig_key()
    return keys.new_client("laptop", Rights())


def test_a_key_file_is_read_whole(path):
    key = load_client_key(path)
    assert key.name == "laptop"
    assert len({key.public, key.secret, key.server}) == 3
    assert key.server == KeysFolder(path.parent).rig_key().public


def test_a_secret_is_in_no_repr(path):
    key = load_client_key(str(path))
    assert key.secret not in repr(key)
    assert key.public in repr(key)


def test_a_broker_says_with_which_key_it_is_spoken_to(path):
    assert key_of(BrokerPlan()) is None
    assert key_of(BrokerPlan(key=str(path))) == load_client_key(path)


def test_a_key_file_that_others_can_read_is_refused_with_the_command_that_mends_it(path):
    path.chmod(0o644)
    with pytest.raises(KeysError) as refused:
        load_client_key(path)
    assert refused.value.next_step == f"chmod 0600 '{path}'"


@pytest.mark.parametrize(
    "text", ["", "name = 'x'", "[", "name = 1\npublic = 2\nsecret = 3\nserver = 4", "a = " + "[" * 5000]
)
def test_what_is_no_key_file_is_an_error_with_a_next_step(path, text):
    path.write_text(text)
    with pytest.raises(KeysError) as refused:
        load_client_key(path)
    assert "zbus keys new" in refused.value.next_step


def test_a_key_file_that_is_not_there(tmp_path):
    with pytest.raises(KeysError, match="there is no key file") as refused:
        load_client_key(tmp_path / "none.key")
    assert "zbus keys new" in refused.value.next_step


@pytest.mark.parametrize(
    "text", ["", "x", "a" * 39, "a" * 41, "ä" * 40, "#" * 40, '"' * 40, " " * 40, "a" * 39 + "\n"]
)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(KeysError, match="not a key of 40 characters"):
        check_key(text)


def test_keys_are_checked_where_they_are_made():
    public, secret = pair()
    assert check_key(public) == public
    with pytest.raises(KeysError, match="server of 'me'"):
        ClientKey("me", public, secret, "none")
