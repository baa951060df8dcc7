import threading
from dataclasses import replace

import pytest
import zmq

from zbus.errors import KeyRefused, RequestRefused, RequestTimeout, TransportError, WireError
from zbus.transport import (
    CONTROL_LINK,
    VIEWER,
    KeysFolder,
    Requester,
    ServerLock,
    bind,
    load_client_key,
    make_socket,
)
from zbus.transport import _requester as requester_module
from zbus.wire import Reply, decode_request, encode_reply


class Directory:
    """A ROUTER in a thread that answers as the test says: `answers(n)` are the messages for the nth ask."""

    def __init__(self, endpoint, answers):
        self._endpoint, self._answers = endpoint, answers
        self.asked = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        with make_socket(zmq.ROUTER, CONTROL_LINK) as socket:
            socket.bind(self._endpoint)
            while not self._stop.is_set():
                if not socket.poll(20):
                    continue
                identity, *parts = socket.recv_multipart()
                self.asked.append(decode_request(parts))
                for answer in self._answers(self.asked[-1], len(self.asked)):
                    socket.send_multipart([identity, *answer])


def ok(request, **result):
    return encode_reply(Reply(request.request_id, request.target, result))


def test_ask_and_answer(free_endpoint):
    endpoint = free_endpoint()
    with (
        Directory(endpoint, lambda request, n: [ok(request, n=n)]),
        Requester(endpoint, sender="test") as requester,
    ):
        assert requester.request("go", {"x": 1}, target="n1") == {"n": 1}
        assert requester.request("go") == {"n": 2}


def test_what_is_asked_says_everything(free_endpoint):
    endpoint = free_endpoint()
    with (
        Directory(endpoint, lambda request, n: [ok(request)]) as directory,
        Requester(endpoint, sender="test") as requester,
    ):
        requester.request("go", {"x": 1}, target="n1", timeout_s=7)
        asked = directory.asked[0]
        assert (asked.target, asked.verb, asked.args, asked.sender) == ("n1", "go", {"x": 1}, "test")
        assert asked.timeout_ms == 7_000
        assert asked.asked_ns > 0


def test_an_error_is_raised_with_its_code(free_endpoint):
    def refuse(request, n):
        return [encode_reply(Reply(request.request_id, "n1", error_code="camera", cause="no light"))]

    endpoint = free_endpoint()
    with Directory(endpoint, refuse), Requester(endpoint) as requester:
        with pytest.raises(RequestRefused, match="no light") as refused:
            requester.request("go")
        assert refused.value.code == "camera"


def test_it_asks_again_under_the_same_id_until_it_is_answered(free_endpoint, monkeypatch):
    monkeypatch.setattr(requester_module, "RETRY_S", 0.02)
    endpoint = free_endpoint()
    with (
        Directory(endpoint, lambda request, n: [ok(request, n=n)] if n == 3 else []) as directory,
        Requester(endpoint) as requester,
    ):
        assert requester.request("go", timeout_s=20) == {"n": 3}
        assert len({request.request_id for request in directory.asked}) == 1


def test_a_directory_that_comes_later_is_asked_then_and_not_flooded(free_endpoint, monkeypatch):
    monkeypatch.setattr(requester_module, "RETRY_S", 0.01)
    endpoint, late = free_endpoint(), Directory("", lambda request, n: [ok(request)])
    late._endpoint = endpoint
    with Requester(endpoint) as requester:
        with pytest.raises(RequestTimeout, match="nobody is at"):
            requester.request("old", timeout_s=0.3)
        with late:
            requester.request("new", timeout_s=20)
            assert {request.verb for request in late.asked} == {"new"}


def test_nonsense_and_answers_to_others_are_passed_over(free_endpoint):
    def answers(request, n):
        return [[b"nonsense"], [b"reply/n1/", b"\xc1"], encode_reply(Reply("other", "n1")), ok(request, n=n)]

    endpoint = free_endpoint()
    with Directory(endpoint, answers), Requester(endpoint) as requester:
        assert requester.request("go") == {"n": 1}


def test_a_flood_of_nonsense_does_not_hold_it_past_its_deadline(free_endpoint):
    endpoint = free_endpoint()
    with (
        Directory(endpoint, lambda request, n: [[b"nonsense", b"x"]] * 5_000),
        Requester(endpoint) as requester,
        pytest.raises(RequestTimeout, match="did not answer 'go'"),
    ):
        requester.request("go", timeout_s=0.3)


@pytest.mark.parametrize(
    "wrong",
    [{"verb": "x" * 33}, {"verb": "go", "target": "a/b"}, {"verb": "go", "args": {"x": "x" * 70_000}}],
)
def test_what_the_other_side_could_not_read_is_not_sent(free_endpoint, wrong):
    with Requester(free_endpoint()) as requester, pytest.raises(WireError):
        requester.request(**wrong)


def test_a_wait_longer_than_the_spec_allows_is_cut(free_endpoint):
    endpoint = free_endpoint()
    with (
        Directory(endpoint, lambda request, n: [ok(request)]) as directory,
        Requester(endpoint) as requester,
    ):
        requester.request("go", timeout_s=1e9)
        assert directory.asked[0].timeout_ms == 600_000


def test_what_is_no_endpoint_leaves_nothing_open():
    requester = Requester("nowhere")
    with pytest.raises(TransportError):
        requester.open()
    with pytest.raises(RuntimeError, match="not open"):
        requester.request("go")


@pytest.fixture
def locked(tmp_path):
    """An address that wants a key, and a key that is let in there, until it is revoked."""
    keys = KeysFolder(tmp_path / "keys")
    keys.make_rig_key()
    key = load_client_key(keys.new_client("laptop", VIEWER))
    with ServerLock(keys.folder) as lock, make_socket(zmq.ROUTER, CONTROL_LINK) as socket:
        yield bind(socket, "tcp://127.0.0.1:0", lock=lock), key


def ask(endpoint, key):
    with Requester(endpoint, key=key) as requester:
        requester.request("go", timeout_s=0.7)


def test_without_a_key_the_error_says_that_one_is_wanted(locked):
    with pytest.raises(KeyRefused, match="wants a key") as refused:
        ask(locked[0], None)
    assert "--key" in refused.value.next_step


def test_a_revoked_key_is_told_as_such(locked, tmp_path):
    endpoint, key = locked
    with pytest.raises(RequestTimeout, match="did not answer"):
        ask(endpoint, key)
    with pytest.raises(KeyRefused, match="not the rig"):
        ask(endpoint, replace(key, server=key.public))
    other = KeysFolder(tmp_path / "other")
    other.make_rig_key()
    stranger = replace(load_client_key(other.new_client("desk", VIEWER)), server=key.server)
    with pytest.raises(KeyRefused, match="'desk' was refused") as refused:
        ask(endpoint, stranger)
    assert f"zbus keys add desk '{stranger.public}'" in refused.value.next_step


def test_a_key_where_there_is_no_lock(locked):
    with make_socket(zmq.ROUTER, CONTROL_LINK) as socket, pytest.raises(KeyRefused, match="takes no keys"):
        ask(bind(socket, "tcp://127.0.0.1:0"), locked[1])
