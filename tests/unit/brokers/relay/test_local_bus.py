from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from zbus.config import BrokerPlan
from zbus.transport import EVERY, Reactor, Subscriber
from zbus.wire import JPEG, Event, Frame, Origin, Topic, decode_message, encode_message, frame_of_image
from zbus_brokers.relay._local_bus import LocalBus

CAM, JPEG_TOPIC = Topic("frame", "cam1"), Topic("frame", "cam1", "jpeg")


def test_frames_are_given_out_as_they_were_and_with_what_happened_on_their_way(
    reactor: Reactor, turn: Any, tmp_path: Path, free_endpoint: Any
) -> None:
    changed: list[int] = []
    broker = BrokerPlan(publish=free_endpoint())
    bus = LocalBus("relay.left", broker, tmp_path, reactor, lambda: changed.append(1))
    image = np.zeros((4, 4), np.uint8)
    frame = frame_of_image(image, "mono8", camera="cam1", frame_number=3, captured_ns=1, mono_ns=2)
    parts = encode_message(CAM, Origin("cam1", "far", 7, 5), frame)
    with bus:
        assert bus.wanted() == frozenset()
        with Subscriber(bus.frames.endpoints, str(CAM), policy=EVERY) as subscriber:
            turn(lambda: changed and b"frame/cam1/" in bus.wanted())
            message = decode_message(parts)
            assert bus.give(message, parts, 4, 10**9)
            got: list[Any] = []
            turn(lambda: got.extend(subscriber.take()) or got)
    (received,) = got
    assert received.origin == Origin("cam1", "far", 7, 5)
    assert isinstance(received.body, Frame)
    assert received.body.frame_number == 3


def test_a_frames_keys_are_written_behind_its_own(
    reactor: Reactor, tmp_path: Path, free_endpoint: Any
) -> None:
    bus = LocalBus("relay.left", BrokerPlan(publish=free_endpoint()), None, reactor, lambda: None)
    sent: list[Any] = []
    bus.frames.send_as_is = lambda parts: sent.append(parts) or True  # type: ignore[method-assign]
    raw = frame_of_image(
        np.zeros((4, 4), np.uint8), "mono8", camera="cam1", frame_number=3, captured_ns=1, mono_ns=2
    )
    frame = replace(raw, codec=JPEG, stride_bytes=0, data=b"jpeg")
    parts = [bytes(part) for part in encode_message(JPEG_TOPIC, Origin("cam1", "far", 7, 5), frame)]
    bus.give(decode_message(parts), parts, 0, 10**9)
    bus.give(decode_message(parts), parts, 2, 10**9)
    headers = [msgpack.unpackb(each[1]) for each in sent]
    assert all(header["relayed_mono_ns"] > 0 for header in headers)
    assert ["thinned" in header for header in headers] == [False, True]
    before = msgpack.unpackb(parts[1])
    assert {key: headers[1][key] for key in before} == before
    # One that was long on its way has the less time here.
    now_ns = time.monotonic_ns()
    bus.give(decode_message(parts), parts, 0, 50_000_000)
    came_ns = msgpack.unpackb(sent[-1][1])["relayed_mono_ns"]
    assert abs(now_ns - 150_000_000 - came_ns) < 100_000_000
    # A header that is full comes as it is.
    full = msgpack.packb(before | {"x": "x" * (4_090 - len(parts[1]))})
    bus.give(decode_message(parts), [parts[0], full, parts[2]], 0, 10**9)
    assert sent[-1][1] == full


def test_events_and_states_are_the_relays_own(
    reactor: Reactor, turn: Any, hosts: Any, tmp_path: Path
) -> None:
    hosts.start_broker("left")
    broker = hosts.broker("left")
    with (
        LocalBus("relay.left", broker, tmp_path, reactor, lambda: None) as bus,
        Subscriber(broker.subscribe, "event/relay.left/", policy=EVERY) as subscriber,
    ):
        turn(lambda: b"event/relay.left/" in bus.wanted())
        bus.tell("host_lost", {"host": "right"})
        got: list[Any] = []
        turn(lambda: got.extend(subscriber.take()) or got)
    assert got[0].body == Event("host_lost", {"host": "right"})
