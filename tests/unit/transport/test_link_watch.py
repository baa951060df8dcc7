import threading

import pytest
import zmq

from zbus.transport import (
    DOOR,
    SMALL_OUT,
    VIEWER,
    KeysFolder,
    Pusher,
    ServerLock,
    Subscriber,
    bind,
    load_client_key,
    make_socket,
)


@pytest.fixture
def keys(tmp_path):
    folder = KeysFolder(tmp_path / "keys")
    folder.make_rig_key()
    return folder


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "link-watch"]


def test_a_key_that_is_refused_is_told_once_with_what_to_do(keys, caplog, wait_until):
    key = load_client_key(keys.new_client("laptop", VIEWER))
    keys.revoke("laptop")
    with ServerLock(keys.folder) as lock, make_socket(zmq.XPUB, SMALL_OUT) as socket:
        endpoint = bind(socket, "tcp://127.0.0.1:0", lock=lock)
        with Subscriber(endpoint, "state/", key=key):
            wait_until(lambda: "'laptop' was refused" in caplog.text)
            assert "zbus keys add laptop" in caplog.text
            assert key.secret not in caplog.text
    wait_until(lambda: not watchers())


def test_a_key_where_there_is_no_lock_is_told(keys, caplog, wait_until):
    key = load_client_key(keys.new_client("laptop", VIEWER))
    with make_socket(zmq.PULL, DOOR) as socket, Pusher(bind(socket, "tcp://127.0.0.1:0"), key=key):
        wait_until(lambda: "takes no keys" in caplog.text)
    wait_until(lambda: not watchers())


def test_who_is_let_in_hears_nothing_of_it(keys, caplog, wait_until):
    key = load_client_key(keys.new_client("laptop", VIEWER))
    with ServerLock(keys.folder) as lock, make_socket(zmq.PULL, DOOR) as socket:
        endpoint = bind(socket, "tcp://127.0.0.1:0", lock=lock)
        with Pusher(endpoint, key=key) as pusher:
            assert pusher.send(b"x", timeout_s=20)
            assert socket.recv() == b"x"
            assert len(watchers()) == 1
    wait_until(lambda: not watchers())
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_links_of_this_machine_without_a_key_are_not_watched():
    with Subscriber("tcp://127.0.0.1:1", "state/"):
        assert not watchers()
