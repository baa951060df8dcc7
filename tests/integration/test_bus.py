"""The bus as processes: a stranger reads it by the spec alone, and a broker that is killed is survived."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from zbus.transport import EVERY, FRAMES_OUT, LATEST, ControlLink, Publisher, Requester, Subscriber
from zbus.wire import Frame, State, Topic, Tracks, TracksMessage, frame_of_image

STRANGER = Path(__file__).with_name("stranger.py")
CAM, TRACKS, STATE = Topic("frame", "cam1"), Topic("tracks", "t1"), Topic("state", "n1")
RUNNING = State("camera", "running", 1, "h", 1)


def frame(number: int, pixel_format: str = "mono8") -> Frame:
    shape = {"mono8": (48, 64), "mono16": (48, 64), "bgr8": (48, 64, 3)}[pixel_format]
    image = np.full(shape, number % 200, np.uint16 if pixel_format == "mono16" else np.uint8)
    return frame_of_image(
        image, pixel_format, camera="cam1", frame_number=number, captured_ns=number, mono_ns=number
    )


def tracks(number: int) -> TracksMessage:
    columns = Tracks(
        np.array([7, 9]),
        np.array([[1.5, 2.5], [30.0, 40.25]]),
        np.array([[0.0, 0, 3, 5], [28, 38, 32, 42]]),
        np.array([1.0, 0.5]),
        np.array([0, 0]),
        ("confirmed", "lost"),
    )
    return TracksMessage("cam1", number, number, number, columns)


@contextmanager
def stranger(endpoint: str, count: int, *prefixes: str):
    """Runs the stranger; yields a function that gives what it read next."""
    command = [sys.executable, str(STRANGER), endpoint, str(count), *prefixes]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        yield lambda: json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_stranger_knows_nothing_of_us():
    imported = {
        alias.name for node in ast.walk(ast.parse(STRANGER.read_text())) if isinstance(node, ast.Import)
        for alias in node.names
    }  # fmt: skip
    assert imported == {"json", "sys", "msgpack", "numpy", "zmq"}


def test_a_stranger_reads_frames_and_tracks_through_the_broker(start_broker, wait_until):
    broker = start_broker()
    with (
        Publisher("n1", connect=[broker.publish]) as publisher,
        stranger(broker.subscribe, 4, "frame/cam1/", "tracks/t1/") as read,
    ):
        wait_until(lambda: publisher.wants(CAM) and publisher.wants(TRACKS))
        assert not publisher.wants(Topic("frame", "cam10"))
        for number, pixel_format in enumerate(("mono8", "mono16", "bgr8"), 5):
            publisher.send(CAM, frame(number, pixel_format))
            got = read()
            assert (got["topic"], got["node"], got["session"]) == ("frame/cam1/", "n1", publisher.session)
            assert (got["seq"], got["frame_number"]) == (number - 5, number)
            channels = 3 if pixel_format == "bgr8" else 1
            assert (got["shape"], got["sum"]) == ([48, 64, channels], 48 * 64 * channels * number)
        publisher.send(TRACKS, tracks(8))
        got = read()
        assert (got["camera"], got["frame_number"], got["track_ids"]) == ("cam1", 8, [7, 9])
        assert got["centroids_px"] == [[1.5, 2.5], [30.0, 40.25]]
        assert got["states"] == ["confirmed", "lost"]


def test_a_stranger_who_comes_late_gets_the_last_state(start_broker, wait_until):
    broker = start_broker()
    with Publisher("n1", connect=[broker.publish]) as publisher:
        wait_until(lambda: publisher.wants(STATE))
        publisher.send(STATE, State("camera", "starting", 1, "h", 1))
        publisher.send(STATE, RUNNING)
        with Subscriber(broker.subscribe, "state/n1/", policy=LATEST) as witness:
            wait_until(lambda: (received := witness.recv(1)) and received.body.state == "running")
        with stranger(broker.subscribe, 1, "state/n1/") as read:
            got = read()
            assert (got["state"], got["seq"], got["role"]) == ("running", 1, "camera")


@pytest.mark.fault
def test_a_broker_that_is_killed_comes_back_to_all_that_were_there(start_broker, free_endpoint, wait_until):
    """Fresh frames and none of the past, what was lost counted exactly, every subscription in force again."""
    places = [free_endpoint() for _ in range(3)]
    broker = start_broker(*places)
    topics = [f"frame/cam{number}/" for number in range(1, 51)]
    with (
        Publisher("n1", link=FRAMES_OUT, connect=[broker.publish]) as publisher,
        Subscriber(broker.subscribe, topics, policy=EVERY) as subscriber,
    ):
        numbers, seqs = count(), []

        def frames_arrive() -> bool:
            publisher.send(CAM, frame(next(numbers)))
            received = subscriber.recv(0.02)
            seqs.extend([received.origin.seq] if received else [])
            return received is not None

        wait_until(frames_arrive)
        broker.kill()
        wait_until(lambda: not publisher.wants(CAM))
        gone = publisher.counters.sent
        while publisher.counters.sent < gone + 50:
            frames_arrive()
        start_broker(*places)
        wait_until(lambda: frames_arrive() and seqs[-1] >= gone + 50)
        assert not [seq for seq in seqs if gone <= seq < gone + 50]
        counters = subscriber.counters
        assert counters.lost >= 50
        assert seqs[-1] - seqs[0] + 1 == len(seqs) + counters.lost + counters.skipped
        assert counters.restarts == 0
        wait_until(lambda: subscriber.take() is not None and all_wanted(publisher, topics))


@pytest.mark.fault
def test_control_and_states_survive_the_broker_too(start_broker, free_endpoint, wait_until):
    places = directory, publish, subscribe = [free_endpoint() for _ in range(3)]
    broker = start_broker(*places)
    announced = {"node": "n1", "role": "camera", "session": "s", "host": "h", "pid": 1}
    with (
        Publisher("n1", connect=[publish]) as publisher,
        Requester(directory) as requester,
        ControlLink("n1", directory, {}) as link,
    ):
        for _ in range(2):
            wait_until(lambda: link.tell("announce", announced))
            wait_until(lambda: requester.request("nodes", timeout_s=30)["nodes"])
            wait_until(lambda: publisher.send(STATE, RUNNING) and late_joiner_hears(subscribe))
            broker.kill()
            wait_until(lambda: not link.tell("announce", announced))
            broker = start_broker(*places)


def all_wanted(publisher: Publisher, topics: list[str]) -> bool:
    return all(publisher.wants(Topic("frame", topic.split("/")[1])) for topic in topics)


def late_joiner_hears(endpoint: str) -> bool:
    with Subscriber(endpoint, "state/n1/") as late:
        return late.recv(1) is not None


@pytest.mark.fault
def test_a_publisher_that_is_killed_and_comes_back_is_a_restart_and_no_gap(broker, wait_until):
    script = (
        "import sys; from zbus.transport import Publisher; from zbus.wire import Event, Topic\n"
        "topic = Topic('event', 'n1')\n"
        "with Publisher('n1', connect=[sys.argv[1]]) as publisher:\n"
        "    while True:\n"
        "        publisher.wants(topic) and publisher.send(topic, Event('tick'))\n"
        "        publisher.socket.poll(10)\n"
    )
    with Subscriber(broker.subscribe, "event/n1/", policy=EVERY) as subscriber:
        for restarts in range(3):
            process = subprocess.Popen([sys.executable, "-c", script, broker.publish])
            try:
                heard = subscriber.counters.received
                wait_until(lambda heard=heard: subscriber.take() and subscriber.counters.received > heard + 5)
            finally:
                process.kill()
                process.wait()
            assert subscriber.counters.restarts == restarts
        assert subscriber.counters.gaps == 0
