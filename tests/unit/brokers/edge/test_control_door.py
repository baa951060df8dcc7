import pytest
import zmq
from running_edge import knock

from zbus.errors import RequestRefused
from zbus.transport import ControlLink, Requester
from zbus.wire import Reply, Request, encode_request


def announce(node, *topics):
    return {
        "node": node,
        "role": "tracker",
        "session": "s1",
        "host": "far",
        "pid": 1,
        "publishes": [f"state/{node}/", *topics],
        "endpoints": [],
    }


def asked(edge, key, verb, args=None, target="directory"):
    with Requester(edge.control, key=key) as requester:
        return requester.request(verb, args, target=target, timeout_s=20)


def test_every_key_may_look(edge):
    key = edge.key("viewer")
    assert "nodes" in asked(edge, key, "nodes")
    assert asked(edge, key, "endpoints")["publish"] == edge.publish
    assert "publishers" in asked(edge, key, "find", {"topic": "frame/"})


@pytest.mark.parametrize(
    ("verb", "args", "target"),
    [
        ("stop", {}, "cam1"),
        ("configure", {"settings": {}}, "cam1"),
        ("announce", announce("cam1"), "directory"),
        ("announce", announce("t1", "tracks/t2/"), "directory"),
        ("announce", {"node": "../x"}, "directory"),
        ("leave", {"node": "cam1", "session": "s"}, "directory"),
        ("whatever", {}, "directory"),
    ],
)
def test_what_a_key_may_not_ask_is_refused_with_a_reason(edge, verb, args, target):
    key = edge.key("t1", publish=("state/t1/", "tracks/t1/"), subscribe=("",), overlay=True)
    with pytest.raises(RequestRefused, match="the key 't1' may not") as refused:
        asked(edge, key, verb, args, target)
    assert refused.value.code == "no_right"


def test_the_right_to_control_is_none_to_pretend(edge):
    key = edge.key("boss", control=True)
    with pytest.raises(RequestRefused) as refused:
        asked(edge, key, "announce", announce("cam1"))
    assert refused.value.code == "no_right"
    with pytest.raises(RequestRefused) as refused:
        asked(edge, key, "stop", {}, "cam1")
    assert refused.value.code == "unknown_node"


def test_a_node_outside_is_announced_asked_and_answers(edge, broker, wait_until):
    key = edge.key("t1", publish=("state/t1/", "tracks/t1/"))
    replies: list[Reply] = []
    with ControlLink(
        "t1", edge.control, {"status": lambda args: {"here": True}}, replies.append, key=key
    ) as link:
        wait_until(lambda: link.tell("announce", announce("t1", "tracks/t1/")) and (link.serve() or replies))
        import threading

        told = []
        asker = threading.Thread(
            target=lambda: told.append(asked_inside(broker.directory, "status", "t1")), daemon=True
        )
        asker.start()
        wait_until(lambda: link.serve() or told)
        asker.join()
    assert told == [{"here": True}]
    assert all(reply.ok for reply in replies)


def asked_inside(directory, verb, target):
    with Requester(directory) as requester:
        return requester.request(verb, target=target, timeout_s=20)


def test_who_asks_without_end_is_left_unanswered_and_others_are_not(edge):
    flooder, honest = edge.key("flooder"), edge.key("honest")
    with knock(zmq.DEALER, edge.control, flooder) as dealer:
        assert dealer.poll(20_000, zmq.POLLOUT)
        for number in range(2_000):
            request = Request(str(number), "directory", "clock", {}, timeout_ms=1_000)
            dealer.send_multipart([bytes(part) for part in encode_request(request)])
        assert "nodes" in asked(edge, honest, "nodes")
        answered = 0
        while dealer.poll(500):
            dealer.recv_multipart()
            answered += 1
    assert 0 < answered < 2_000
