from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from zbus.errors import RequestRefused
from zbus.transport import Reactor
from zbus.wire import Reply, Request, decode_reply, decode_request, encode_reply, encode_request
from zbus_brokers.relay._directory_link import DirectoryLink, OnParts

from .conftest import Hosts


@pytest.fixture
def link(hosts: Hosts, reactor: Reactor) -> Iterator[DirectoryLink]:
    def serve(target: str, parts: Sequence[bytes], on_reply: OnParts) -> None:
        request = decode_request(parts)
        on_reply(encode_reply(Reply(request.request_id, target, {"asked": request.verb})))

    hosts.start_broker("left")
    with DirectoryLink("relay.left", hosts.broker("left").directory, reactor, serve) as link:
        yield link


def announce(link: DirectoryLink, node: str, replies: list[Any]) -> None:
    args = {"node": node, "role": "camera", "session": "s", "host": "right", "pid": 1, "via": "relay.left"}
    link.tell("announce", args, replies.append)


def test_many_nodes_are_announced_and_asked_through_one_connection(
    link: DirectoryLink, hosts: Hosts, turn: Any, reactor: Reactor
) -> None:
    replies: list[Any] = []
    turn(lambda: announce(link, "cam1", replies) or replies)
    announce(link, "cam2", replies)
    turn(lambda: len(replies) >= 2)
    asked: list[Any] = []
    asker = hosts.start(
        lambda own: asked.extend(hosts.ask("left", "jump", node) for node in ("cam1", "cam2"))
    )
    turn(lambda: len(asked) == 2)
    assert asker.error is None
    assert asked == [{"asked": "jump"}] * 2
    assert hosts.nodes("left")["cam2"]["via"] == "relay.left"


def test_somebody_elses_request_comes_back_to_who_carried_it(link: DirectoryLink, turn: Any) -> None:
    got: list[Any] = []

    def ask() -> None:
        link.ask(encode_request(Request("r1", "nobody", "jump")), got.append)

    turn(lambda: ask() or got)
    reply = decode_reply(got[0])
    assert (reply.request_id, reply.error_code) == ("r1", "unknown_node")


def test_a_reply_that_nobody_waits_for_is_counted(link: DirectoryLink, turn: Any) -> None:
    turn(lambda: link._send(encode_request(Request("r2", "directory", "endpoints"))) or link.refused)


def test_a_bad_announcement_is_answered(link: DirectoryLink, turn: Any) -> None:
    replies: list[Any] = []
    turn(lambda: announce(link, "-x", replies) or replies)
    assert isinstance(replies[0], Reply)
    assert replies[0].error_code == RequestRefused("bad_message", "").code
