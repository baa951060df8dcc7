"""Two hosts with brokers and relays: what comes from one to the other, and what when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from zbus.errors import RequestRefused
from zbus.transport import EVERY, Publisher, Received, Requester, Subscriber
from zbus.wire import Event, Frame, Topic, frame_of_image

from .conftest import Hosts, Node

CAM = Topic("frame", "cam1")
WaitUntil = Callable[[Callable[[], object]], None]


def frame(number: int, *, age_ns: int = 0) -> Frame:
    image = np.full((24, 32), number % 256, np.uint8)
    return frame_of_image(
        image,
        "mono8",
        camera="cam1",
        frame_number=number,
        captured_ns=time.time_ns() - age_ns,
        mono_ns=time.monotonic_ns() - age_ns,
    )


def camera(hosts: Hosts, host: str = "left", name: str = "cam1") -> Node:
    topics = [f"frame/{name}/", f"state/{name}/", f"event/{name}/"]
    return Node(hosts, host, name, topics)


def test_a_topic_crosses_once_and_is_as_it_was(hosts: Hosts, wait_until: WaitUntil) -> None:
    hosts.start_all()
    with camera(hosts) as node, ExitStack() as stack:
        got: list[list[Received]] = [[], [], []]
        readers = [
            stack.enter_context(Subscriber(hosts.broker("right").subscribe, str(CAM), policy=EVERY))
            for _ in got
        ]

        def all_have(count: int) -> bool:
            for own, reader in zip(got, readers, strict=True):
                own.extend(reader.take())
            return all(len(own) >= count for own in got)

        wait_until(lambda: node.announce() or node.publisher.wants(CAM))
        for number in range(20):
            node.announce()
            node.publisher.send(CAM, frame(number))
            wait_until(partial(all_have, number + 1))
        assert [[each.origin.seq for each in own] for own in got] == [list(range(20))] * 3
        assert {each.origin.session for own in got for each in own} == {node.publisher.session}
        wait_until(lambda: hosts.details("left", "right")["to"]["topics"].get(str(CAM)) == 20)


def test_stale_frames_are_not_handed_on(hosts: Hosts, wait_until: WaitUntil) -> None:
    hosts.start_all()
    with camera(hosts) as node, Subscriber(hosts.broker("right").subscribe, str(CAM), policy=EVERY) as reader:
        wait_until(lambda: node.announce() or node.publisher.wants(CAM))
        node.publisher.send(CAM, frame(0, age_ns=900_000_000))
        node.publisher.send(CAM, frame(1))
        got: list[Received] = []
        wait_until(lambda: node.announce() or got.extend(reader.take()) or got)
        assert [each.origin.seq for each in got] == [1]


def test_a_far_node_is_announced_and_asked_as_if_it_were_here(hosts: Hosts, wait_until: WaitUntil) -> None:
    hosts.start_all()
    wait_until(lambda: "relay.left" in hosts.nodes("right"))
    entry = hosts.nodes("right")["relay.left"]
    assert (entry["host"], entry["via"]) == ("left", "relay.right")
    assert hosts.ask("right", "status", "relay.left")["host"] == "left"
    wait_until(lambda: "relay.right" in hosts.nodes("left"))


def test_rates_of_a_far_node_are_announced_and_follow(hosts: Hosts, wait_until: WaitUntil) -> None:
    hosts.start_all()
    with camera(hosts) as node:
        for rate in (30.0, 12.5):
            node.rates = {str(CAM): rate, "frame/other/": 1.0}

            def shown() -> Any:
                node.announce()
                return hosts.nodes("right").get("cam1", {}).get("rates")

            wait_until(lambda rate=rate, shown=shown: shown() == {str(CAM): rate})


def test_a_host_that_ends_is_told_its_nodes_go_and_it_is_found_again(
    hosts: Hosts, wait_until: WaitUntil
) -> None:
    hosts.start_broker("right")
    hosts.start_relay("right")
    hosts.start_broker("left")
    relay = hosts.start_relay("left")
    events: list[Event] = []
    with Subscriber(hosts.broker("right").subscribe, "event/relay.right/", policy=EVERY) as subscriber:

        def told(name: str) -> list[Event]:
            events.extend(each.body for each in subscriber.take())  # type: ignore[misc]
            return [event for event in events if event.event == name]

        wait_until(lambda: "relay.left" in hosts.nodes("right"))
        relay.stop()
        wait_until(lambda: told("host_lost"))
        fields = told("host_lost")[0].fields
        assert (fields["host"], fields["cause"]) == ("left", "it ended")
        assert hosts.ask("right", "status", "relay.right")["state"] == "degraded"
        wait_until(lambda: "relay.left" not in hosts.nodes("right"))
        hosts.start_relay("left")
        wait_until(lambda: told("host_found"))
        wait_until(lambda: "relay.left" in hosts.nodes("right"))
        assert hosts.ask("right", "status", "relay.right")["state"] == "running"


def test_a_request_to_a_host_that_is_gone_is_answered_at_once(hosts: Hosts, wait_until: WaitUntil) -> None:
    hosts.start_broker("right")
    hosts.start_relay("right")
    hosts.start_broker("left")
    relay = hosts.start_relay("left")
    with camera(hosts) as node:
        wait_until(lambda: node.announce() or "cam1" in hosts.nodes("right"))
        relay.stop()
        with Requester(hosts.broker("right").directory) as requester:
            try:
                requester.request("status", target="cam1", timeout_s=5.0)
                raise AssertionError("nobody could have answered")
            except RequestRefused as error:
                assert error.code == "unknown_node"


def test_a_node_of_one_name_on_both_hosts_is_told_and_each_keeps_its_own(
    hosts: Hosts, wait_until: WaitUntil
) -> None:
    hosts.start_all()
    with camera(hosts, "left") as ours, camera(hosts, "right") as theirs:
        duplicates: list[Event] = []

        def announced() -> bool:
            ours.announce()
            theirs.announce()
            return True

        with Subscriber(hosts.broker("right").subscribe, "event/directory/", policy=EVERY) as subscriber:

            def look() -> object:
                announced()
                bodies = [each.body for each in subscriber.take()]
                duplicates.extend(
                    body for body in bodies if isinstance(body, Event) and body.event == "duplicate_publisher"
                )
                return duplicates

            wait_until(look)
        assert duplicates[0].fields["node"] == "cam1"
        with Subscriber(hosts.broker("right").subscribe, str(CAM), policy=EVERY) as reader:
            wait_until(lambda: announced() and theirs.publisher.wants(CAM))
            theirs.publisher.send(CAM, frame(1))
            ours.publisher.send(CAM, frame(2))
            got: list[Received] = []
            wait_until(lambda: announced() and (got.extend(reader.take()) or got))
            assert [each.origin.session for each in got] == [theirs.publisher.session]


def test_what_is_left_out_on_purpose_is_no_gap(hosts: Hosts, wait_until: WaitUntil) -> None:
    from zbus.config import RelayPlan

    hosts.relay = RelayPlan(frames_hz=10.0)
    hosts.start_all()
    with camera(hosts) as node, Subscriber(hosts.broker("right").subscribe, str(CAM), policy=EVERY) as reader:
        wait_until(lambda: node.announce() or node.publisher.wants(CAM))
        got: list[Received] = []
        number = 0

        def go_on() -> bool:
            nonlocal number
            node.announce()
            node.publisher.send(CAM, frame(number))
            number += 1
            got.extend(reader.take())
            return len(got) >= 8

        wait_until(go_on)
        seqs = [each.origin.seq for each in got]
        assert max(later - seq for seq, later in pairwise(seqs)) > 1
        assert (reader.counters.lost, reader.counters.gaps) == (0, 0)


def test_only_allowed_topics_cross(hosts: Hosts, wait_until: WaitUntil) -> None:
    from zbus.config import RelayPlan

    hosts.relay = RelayPlan(topics=("state/", "event/"))
    hosts.start_all()
    with camera(hosts) as node, Publisher("x", connect=[hosts.broker("right").publish]):
        wait_until(lambda: node.announce() or "cam1" in hosts.nodes("right"))
        assert hosts.nodes("right")["cam1"]["publishes"] == ["state/cam1/", "event/cam1/"]
