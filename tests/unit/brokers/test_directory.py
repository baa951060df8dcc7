import secrets
import time

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zbus.errors import AddressInUse
from zbus.transport import CONTROL_LINK, ControlLink, Reactor, make_socket
from zbus.wire import Request, decode_reply, encode_request
from zbus_brokers import Directory
from zbus_brokers import _directory as directory_module
from zbus_brokers import _registry as registry_module

ANY = "tcp://127.0.0.1:0"
DEADLINE_S = 20.0


class Bus:
    """A directory and its loop, turned by the test."""

    def __init__(self, directory, reactor, events):
        self.directory, self.reactor, self.events = directory, reactor, events

    def run(self, condition):
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "the condition did not come true"
            self.reactor.run_once(0.01)

    def told(self, name):
        return [fields for event, fields in self.events if event == name]


class Node:
    """A node that announces itself, and serves in the same loop."""

    def __init__(self, bus, name, verbs=None, session=""):
        self.bus, self.name, self.session = bus, name, session or secrets.token_hex(4)
        self.replies = []
        self.link = ControlLink(name, bus.directory.endpoint, verbs or {}, self.replies.append)

    def __enter__(self):
        self.link.open()
        self.bus.reactor.watch(self.link.socket, self.link.serve)
        self.bus.run(self.announce)
        self.bus.run(lambda: self.replies)
        return self

    def __exit__(self, *_):
        self.bus.reactor.unwatch(self.link.socket)
        self.link.close()

    def announce(self, **more):
        form = {"node": self.name, "role": "camera", "session": self.session, "host": "h", "pid": 1, **more}
        return self.link.tell("announce", form)

    def heard(self):
        """Announce again and return the answer."""
        before = len(self.replies)
        assert self.announce()
        self.bus.run(lambda: len(self.replies) > before)
        return self.replies[-1].result


class Asker:
    """A stranger with a DEALER."""

    def __init__(self, bus):
        self.bus, self.socket = bus, make_socket(zmq.DEALER, CONTROL_LINK)
        self.socket.connect(bus.directory.endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(linger=0)

    def send(self, *parts):
        self.socket.send_multipart(parts)

    def ask(self, verb, target="directory", args=None, request_id=""):
        request = Request(request_id or secrets.token_hex(4), target, verb, args or {})
        self.send(*encode_request(request))
        return self.answer()

    def answer(self):
        self.bus.run(lambda: self.socket.poll(0))
        return decode_reply(self.socket.recv_multipart())


@pytest.fixture
def bus():
    events = []
    with (
        Reactor() as reactor,
        Directory(ANY, reactor, lambda *told: events.append(told), lambda: {"publish": "p"}) as directory,
    ):
        yield Bus(directory, reactor, events)


@pytest.fixture
def asker(bus):
    with Asker(bus) as asker:
        yield asker


def test_it_tells_what_time_it_is_on_its_host(asker):
    before = time.monotonic_ns(), time.time_ns()
    told = asker.ask("clock").result
    after = time.monotonic_ns(), time.time_ns()
    assert before[0] <= told["mono_ns"] <= after[0]
    assert before[1] <= told["utc_ns"] <= after[1]


def test_an_announced_node_is_listed_found_and_told(bus, asker):
    with Node(bus, "n1") as node:
        node.announce(publishes=["frame/cam1/"], endpoints=["ipc:///x"])
        bus.run(lambda: len(node.replies) == 2)
        assert node.replies[-1].result == {"lease_s": registry_module.LEASE_S, "duplicate": False}
        assert [each["node"] for each in asker.ask("nodes").result["nodes"]] == ["n1"]
        found = asker.ask("find", args={"topic": "frame/"}).result["publishers"]
        assert [(each["node"], each["endpoints"]) for each in found] == [("n1", ["ipc:///x"])]
        assert asker.ask("endpoints").result == {"publish": "p"}
        assert [fields["node"] for fields in bus.told("node_joined")] == ["n1"]


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("fly", {}, "unknown_verb"),
        ("announce", {}, "bad_message"),
        ("announce", {"node": "a/b"}, "bad_message"),
        ("find", {}, "bad_message"),
        ("find", {"topic": 3}, "bad_message"),
    ],
)
def test_what_cannot_be_done_is_answered(asker, verb, args, code):
    assert asker.ask(verb, args=args).error_code == code


def test_leaving_what_is_not_there_is_nothing(bus, asker):
    assert asker.ask("leave", args={"node": ["x"], "session": {}}).ok
    assert bus.told("node_left") == []


def test_a_request_reaches_its_node_and_the_answer_its_asker(bus, asker):
    with Node(bus, "n1", {"go": lambda args: {"got": args["x"]}}), Asker(bus) as other:
        assert asker.ask("go", "n1", {"x": 1}).result == {"got": 1}
        assert other.ask("go", "n1", {"x": 2}).result == {"got": 2}
        assert not asker.socket.poll(0)


def test_the_same_request_is_done_once_by_directory_and_node(bus, asker):
    calls = []
    with Node(bus, "n1", {"go": lambda args: calls.append(1) or {"n": len(calls)}}):
        assert [asker.ask("go", "n1", request_id="r1").result for _ in range(3)] == [{"n": 1}] * 3
        first = asker.ask("nodes", request_id="r2").result
        assert asker.ask("nodes", request_id="r2").result == first


def test_a_node_that_is_not_there_is_told_with_those_that_are(bus, asker):
    with Node(bus, "n1"):
        reply = asker.ask("go", "n2")
        assert reply.error_code == "unknown_node"
        assert "n1" in reply.cause


def test_a_node_that_dies_before_it_answers_is_told_to_who_asked(bus, asker):
    with Node(bus, "n1") as node:
        bus.reactor.unwatch(node.link.socket)
        asker.send(*encode_request(Request("r1", "n1", "go")))
        bus.run(lambda: len(bus.directory._calls) == 1)
        reply = asker.answer()
        assert (reply.request_id, reply.error_code) == ("r1", "unknown_node")
        assert "lost before it answered" in reply.cause
        bus.reactor.watch(node.link.socket, node.link.serve)


def test_a_node_that_leaves_is_told_to_who_asked_at_once(bus, asker):
    with Node(bus, "n1") as node:
        bus.reactor.unwatch(node.link.socket)
        asker.send(*encode_request(Request("r1", "n1", "go")))
        bus.run(lambda: len(bus.directory._calls) == 1)
        node.link.tell("leave", {"node": "n1", "session": node.session})
        assert asker.answer().error_code == "unknown_node"
        assert bus.told("node_left") == [{"node": "n1", "session": node.session, "replaced": False}]
        bus.reactor.watch(node.link.socket, node.link.serve)


def test_a_node_that_does_not_keep_up_is_busy(bus, asker, monkeypatch):
    with Node(bus, "n1"):
        monkeypatch.setattr(bus.directory, "_send", failing_once(bus.directory._send, zmq.EAGAIN))
        assert asker.ask("go", "n1").error_code == "busy"
        assert len(bus.directory._calls) == 0


def failing_once(send, code):
    codes = [int(code)]
    return lambda parts: codes.pop() if codes else send(parts)


def test_a_node_that_was_lost_is_told(bus):
    with Node(bus, "n1"):
        pass
    bus.run(lambda: bus.told("node_lost"))
    assert bus.told("node_lost")[0]["node"] == "n1"
    assert bus.told("node_lost")[0]["replaced"] is False


def test_a_restart_is_no_duplicate_and_its_former_session_is_lost_as_replaced(bus):
    with Node(bus, "n1", session="old"):
        pass
    with Node(bus, "n1", session="new") as node:
        bus.run(lambda: bus.told("node_lost") or not node.heard())
        assert node.heard()["duplicate"] is False
        assert [fields["session"] for fields in bus.told("node_joined")] == ["old", "new"]
        assert (bus.told("node_lost")[0]["session"], bus.told("node_lost")[0]["replaced"]) == ("old", True)
    assert bus.told("duplicate_publisher") == []


def test_two_nodes_of_one_name_are_told_once_and_both_hear_of_it(bus):
    with Node(bus, "n1", session="old") as old, Node(bus, "n1", session="new") as new:
        assert old.heard()["duplicate"]
        assert new.heard()["duplicate"]
        assert [fields["node"] for fields in bus.told("duplicate_publisher")] == ["n1"]


def test_a_reply_that_nobody_asked_for_reaches_nobody(bus, asker):
    """Not even where its route is the identity of somebody."""
    with Node(bus, "n1") as node, Asker(bus) as liar:
        identity = bus.directory._registry.find("n1").identity
        reply = [b"reply/n1/", b"\x81\xa1v\x01"]
        for route in (identity, b"guess", b""):
            liar.send(route, *reply)
        bus.run(lambda: bus.directory.refused == 3)
        assert node.link.refused == 0


def test_a_node_is_not_told_who_asks(bus, asker):
    """Or it could take the place of the next who connects."""
    seen = []
    with Node(bus, "n1", {"go": lambda args: {}}) as node:
        handle = node.link._handle
        node.link._handle = lambda parts: seen.append(parts) or handle(parts)
        assert asker.ask("go", "n1").ok
        assert asker.ask("go", "n1").ok
        routes = [parts[0] for parts in seen if len(parts) == 3]
        assert len(set(routes)) == 2
        assert not any(route in bus.directory._calls._calls for route in routes)


def test_the_listing_says_how_many_it_left_out(bus, asker, monkeypatch):
    monkeypatch.setattr(registry_module, "LISTING_MAX_BYTES", 400)
    with Node(bus, "n1"), Node(bus, "n2"), Node(bus, "n3"):
        listing = asker.ask("nodes").result
        assert len(listing["nodes"]) + listing["left_out"] == 3
        assert listing["left_out"] > 0


def test_an_answer_that_cannot_be_sent_is_an_error(bus, asker):
    bus.directory._verbs["endpoints"] = lambda args, identity: {"x": "x" * 300_000}
    assert asker.ask("endpoints").error_code == "error"


def test_two_directories_cannot_have_one_address(bus):
    other = Directory(bus.directory.endpoint, bus.reactor, lambda *told: None, dict)
    with pytest.raises(AddressInUse):
        other.open()
    other.close()
    bus.reactor.run_once(0)


PARTS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([b"control/directory/", b"control/n1/", b"reply/n1/", b"control/", b"control/x/y/"]),
    st.builds(
        lambda verb, args: bytes(encode_request(Request("r", "n1", verb, args))[1]),
        st.sampled_from(["announce", "leave", "nodes", "find", "endpoints", "x"]),
        st.dictionaries(
            st.sampled_from(["node", "session", "role", "host", "pid", "publishes", "topic"]),
            st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=9), st.lists(st.text(max_size=3))),
        ),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(st.lists(st.lists(PARTS, min_size=1, max_size=5), min_size=1, max_size=10))
def test_nothing_that_a_stranger_sends_ends_it(bus, messages):
    with Asker(bus) as stranger:
        for parts in messages:
            stranger.send(*parts)
        stranger.send(*encode_request(Request(secrets.token_hex(4), "directory", "endpoints")))
        while stranger.answer().result != {"publish": "p"}:
            pass


def test_the_log_does_not_grow_with_what_is_refused(bus, caplog):
    with Asker(bus) as stranger:
        for _ in range(200):
            stranger.send(b"control/directory/", b"\xc1")
        bus.run(lambda: bus.directory.refused == 200)
    assert len(caplog.records) == 8


def test_its_periods_are_shorter_than_its_lease():
    assert directory_module.EXPIRY_PERIOD_S < registry_module.LEASE_S / 4
