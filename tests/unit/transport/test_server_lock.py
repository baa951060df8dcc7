import threading

import pytest
import zmq

from zbus.errors import KeysError, TransportError
from zbus.transport import (
    CONTROL_LINK,
    SMALL_IN,
    SMALL_OUT,
    VIEWER,
    ClientKey,
    KeysFolder,
    Reactor,
    Rights,
    ServerLock,
    bind,
    connect,
    load_client_key,
    make_socket,
)

# So long nothing must come; what comes, comes within a few milliseconds.
NOTHING_MS = 300
COMES_MS = 20_000


@pytest.fixture
def keys(tmp_path):
    folder = KeysFolder(tmp_path / "keys")
    folder.make_rig_key()
    return folder


@pytest.fixture
def laptop(keys):
    return load_client_key(keys.new_client("laptop", VIEWER))


@pytest.fixture
def lock(keys, laptop):
    with ServerLock(keys.folder) as opened:
        yield opened


def hears(endpoint, key, wait_ms):
    """True where a PULL at `endpoint` takes what a client with `key` sends... asked by a reply."""
    with make_socket(zmq.DEALER, CONTROL_LINK) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        connect(socket, endpoint, key)
        if not socket.poll(wait_ms, zmq.POLLOUT):
            return False
        socket.send(b"hello")
        return bool(socket.poll(wait_ms))


@pytest.fixture
def echo():
    """A ROUTER that says back what it hears; gives its socket's maker."""
    stop = threading.Event()
    threads = []
    heard = []

    def start(lock, **more):
        told = []
        ready = threading.Event()

        def run():
            with make_socket(zmq.ROUTER, CONTROL_LINK) as socket:
                told.append(bind(socket, "tcp://127.0.0.1:0", lock=lock, **more))
                ready.set()
                while not stop.is_set():
                    if socket.poll(20):
                        parts = socket.recv_multipart(copy=False)
                        found = lock.find_sender(parts[1])
                        heard.append(found.name if found else "")
                        socket.send_multipart(parts)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        assert ready.wait(20)
        return told[0]

    start.heard = heard
    yield start
    stop.set()
    for thread in threads:
        thread.join()


def test_who_has_a_key_comes_in_and_is_known_by_name(lock, laptop, echo):
    assert hears(echo(lock), laptop, COMES_MS)
    assert echo.heard == ["laptop"]
    assert lock.denied == 0


def test_strangers_do_not_come_in(lock, laptop, echo):
    endpoint = echo(lock)
    public, secret = (part.decode() for part in zmq.curve_keypair())
    other = zmq.curve_keypair()[0].decode()
    assert not hears(endpoint, None, NOTHING_MS), "without a key"
    assert not hears(endpoint, ClientKey("x", public, secret, laptop.server), NOTHING_MS), "an unknown key"
    wrong = ClientKey("laptop", laptop.public, laptop.secret, other)
    assert not hears(endpoint, wrong, NOTHING_MS), "a key that takes another rig for this one"
    stolen = ClientKey("laptop", laptop.public, secret, laptop.server)
    assert not hears(endpoint, stolen, NOTHING_MS), "a public key without its secret"
    assert lock.denied == 1
    assert hears(endpoint, laptop, COMES_MS)
    assert echo.heard == ["laptop"]


def test_once_nobody_checks_keys_nobody_comes_in(lock, laptop, echo):
    endpoint = echo(lock)
    lock.close()
    assert not lock.is_alive
    for key in (laptop, None):
        assert not hears(endpoint, key, NOTHING_MS)
    assert not echo.heard


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_end_of_the_authenticator_ends_the_loop_and_closing_does_not_hang(
    lock, laptop, echo, monkeypatch, wait_until
):
    endpoint = echo(lock)

    def fail(domain, key):
        raise SystemExit

    monkeypatch.setattr(lock, "callback", fail)
    assert not hears(endpoint, laptop, NOTHING_MS)
    wait_until(lambda: not lock.is_alive)
    with Reactor() as reactor:
        lock.watch(reactor)
        with pytest.raises(TransportError, match="nobody checks keys any more"):
            reactor.run()
    for key in (laptop, None):
        assert not hears(endpoint, key, NOTHING_MS)
    assert not echo.heard
    lock.close()


def test_nothing_is_bound_before_the_lock_is_open(keys):
    lock = ServerLock(keys.folder)
    with make_socket(zmq.XPUB, SMALL_OUT) as socket:
        with pytest.raises(TransportError, match="the lock is not open"):
            bind(socket, "tcp://127.0.0.1:0", lock=lock)
        assert not socket.getsockopt(zmq.LAST_ENDPOINT).strip(b"\0")


def test_a_lock_lets_bind_what_others_can_reach(lock):
    with make_socket(zmq.XSUB, SMALL_IN) as socket:
        assert bind(socket, "tcp://0.0.0.0:0", lock=lock).startswith("tcp://0.0.0.0:")


def test_a_second_lock_in_a_process_is_an_error(lock, keys):
    with pytest.raises(TransportError, match="cannot be opened"):
        ServerLock(keys.folder).open()
    lock.close()
    with ServerLock(keys.folder) as second:
        assert second.is_alive


def test_without_a_rigs_key_nothing_opens(tmp_path):
    with pytest.raises(KeysError, match="has no key"):
        ServerLock(tmp_path).open()


def test_changes_of_the_list_count_at_once_and_those_revoked_are_named(lock, keys, laptop, echo):
    endpoint = echo(lock)
    told = []
    with Reactor() as reactor:

        def on_revoked(names):
            told.append(names)
            reactor.stop()

        lock.watch(reactor, on_revoked)
        desk = load_client_key(keys.new_client("desk", Rights()))
        keys.revoke("laptop")
        reactor.run()
    assert told == [["laptop"]]
    assert [key.name for key in lock.allowed] == ["desk"]
    assert not hears(endpoint, laptop, NOTHING_MS)
    assert hears(endpoint, desk, COMES_MS)
    assert lock.find(laptop.public) is None


def test_other_rights_are_told_and_a_new_key_is_not(lock, keys, laptop):
    told = []
    with Reactor() as reactor:
        lock.watch(reactor, told.append)
        keys.new_client("desk", Rights())
        reactor.after(20, reactor.stop)
        while len(lock.allowed) < 2 and not reactor.stopping:
            reactor.run_once()
        assert not told
        text = keys.allowed_path.read_text().replace("overlay = true", "overlay = false")
        keys.allowed_path.write_text(text)
        while not told and not reactor.stopping:
            reactor.run_once()
    assert told == [["laptop"]]


def test_a_list_that_cannot_be_read_ends_the_loop(lock, keys):
    with Reactor() as reactor:
        lock.watch(reactor)
        keys.allowed_path.write_text("[")
        with pytest.raises(KeysError):
            reactor.run()


def test_a_key_that_is_let_in_and_revoked_between_two_looks_is_told_too(lock, keys):
    desk = load_client_key(keys.new_client("desk", Rights()))
    assert lock.find(desk.public) is not None, "it need not wait for the next look"
    keys.revoke("desk")
    told = []
    with Reactor() as reactor:
        lock.watch(reactor, lambda names: (told.append(names), reactor.stop()))
        reactor.run()
    assert told == [["desk"]]


def test_a_barred_key_does_not_come_in_until_its_time_is_over(lock, laptop):
    lock.bar(laptop.public, 3_600.0)
    assert lock.find(laptop.public) is None
    assert not lock.callback("zbus", laptop.public.encode())
    lock.bar(laptop.public, -1.0)
    assert lock.find(laptop.public) is not None
