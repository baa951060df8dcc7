"""Three hosts of a rig file on three loopback addresses: what crosses, and that nothing goes round."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

from rig_process import DEADLINE_S
from test_two_hosts import CAMERA, HostsUp, start_hosts

from zbus.config import HostPlan, Rig, TrackerPlan
from zbus.nodes import free_ports
from zbus.transport import EVERY, Subscriber

HOSTS = ("left", "middle", "right")
FRAMES, TRACKS = "frame/arena/", "tracks/tracker/"
# As many as a second of the camera: what is on its way while others are counted.
ON_THEIR_WAY = 60


def make_rig() -> Rig:
    """A camera on the left, its tracker in the middle; on the right nobody but who listens."""
    ports = iter(free_ports(4 * len(HOSTS)))
    hosts = {
        name: HostPlan(
            f"127.0.0.{number}", next(ports), *(f"tcp://127.0.0.{number}:{next(ports)}" for _ in range(3))
        )
        for number, name in enumerate(HOSTS, start=1)
    }
    tracker = TrackerPlan("arena", settings={"animals": 3}, host="middle")
    return Rig("lab", hosts=hosts, cameras={"arena": CAMERA}, trackers={"tracker": tracker}, reference="left")


def sent(hosts: HostsUp, host: str, other: str) -> dict[str, int]:
    """How many messages of each topic went from one host to another."""
    return hosts.details(host, other)["to"]["topics"]


def test_each_topic_crosses_once_for_each_pair_of_hosts_and_nothing_goes_round() -> None:
    with ExitStack() as stack:
        hosts = start_hosts(make_rig(), stack)
        broker = hosts.broker("right")
        readers = {
            topic: stack.enter_context(Subscriber(broker.subscribe, topic, policy=EVERY))
            for topic in (FRAMES, TRACKS)
        }
        seqs: dict[str, list[int]] = {topic: [] for topic in readers}
        sessions: dict[str, set[str]] = {topic: set() for topic in readers}
        before: dict[str, int] = {}
        deadline_s = time.monotonic() + DEADLINE_S
        while min(map(len, seqs.values())) < 90:
            assert time.monotonic() < deadline_s, {topic: len(own) for topic, own in seqs.items()}
            for topic, reader in readers.items():
                received = reader.recv(0.02)
                if received is not None:
                    seqs[topic].append(received.origin.seq)
                    sessions[topic].add(received.origin.session)
            if not before and all(seqs.values()):
                before = {"left": sent(hosts, "left", "right")[FRAMES]}
                before["middle"] = sent(hosts, "middle", "right")[TRACKS]
        for topic, host in ((FRAMES, "left"), (TRACKS, "middle")):
            crossed = sent(hosts, host, "right")[topic] - before[host]
            own = seqs[topic]
            assert own == sorted(set(own)), "a message came twice, or late"
            assert crossed <= own[-1] - own[0] + ON_THEIR_WAY
            assert len(sessions[topic]) == 1
        # Each comes from where it is made and from nowhere else: what was brought is not offered again.
        assert TRACKS not in sent(hosts, "left", "right")
        assert FRAMES not in sent(hosts, "middle", "right")
        for other in ("left", "middle"):
            assert not {FRAMES, TRACKS} & set(sent(hosts, "right", other))
        for other in ("middle", "right"):
            assert sent(hosts, "left", other)[FRAMES] > 0
        listed = hosts.ask("right", "nodes", "directory")["nodes"]
        far = {node["node"]: node["host"] for node in listed if node["via"] == "relay.right"}
        assert far == {
            "arena": "left",
            "relay.left": "left",
            "supervisor.left": "left",
            "tracker": "middle",
            "relay.middle": "middle",
            "supervisor.middle": "middle",
        }
        for process in hosts.processes.values():
            assert process.end(signal.SIGTERM) == 0
            assert "Traceback" not in process.stderr
