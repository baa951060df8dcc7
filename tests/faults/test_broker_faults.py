"""A broker that is frozen, and connections that are reset under everybody: what comes afterwards is fresh."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import psutil
import pytest
from camera_and_reader import EVERY, LATEST, Reader, StampingCamera
from rig_process import COMMAND, DEADLINE_S

from zbus.cli._demo_rig import choose_ports
from zbus.config import BrokerPlan, Rig
from zbus.transport import Requester

pytestmark = pytest.mark.fault

# Long enough to fill every queue between the camera and who reads, more than once.
FROZEN_S = 3.0
FRAMES_AFTER = 45
# What is older than this was captured while the broker was frozen: the lifespan is 0.2 s.
OLD_S = 0.5


@pytest.fixture
def frozen_broker(start_broker, wait_until):
    """A broker that has been frozen and is not any more: how old what readers were handed since then is."""

    def freeze(policy: str) -> Reader:
        broker = start_broker()
        process = psutil.Process(broker.process.pid)
        with StampingCamera(broker.publish), Reader(broker.subscribe, policy) as reader:
            wait_until(lambda: len(reader.handed) > 30)
            process.send_signal(signal.SIGSTOP)
            try:
                # The length of the fault itself.
                time.sleep(FROZEN_S)
            finally:
                resumed_ns = time.monotonic_ns()
                process.send_signal(signal.SIGCONT)
            wait_until(lambda: len(reader.after(resumed_ns)) > FRAMES_AFTER)
            with Requester(broker.directory) as requester:
                assert requester.request("endpoints", timeout_s=20)["publish"] == broker.publish
        reader.resumed_ns = resumed_ns
        return reader

    return freeze


def test_no_old_frames_after_a_frozen_broker_for_who_reads_the_newest(frozen_broker):
    reader = frozen_broker(LATEST)
    ages_s = [age_s for _, age_s, _ in reader.after(reader.resumed_ns)]
    assert [age_s for age_s in ages_s if age_s > OLD_S] == []
    assert reader.counters.stale > 0
    assert reader.counters.restarts == 0
    assert reader.settles()


def test_who_reads_every_frame_counts_what_a_frozen_broker_cost(frozen_broker):
    reader = frozen_broker(EVERY)
    assert reader.counters.lost > 0
    assert reader.counters.restarts == 0
    assert reader.settles()


def test_reset_connections_come_back_and_what_was_missed_is_counted(two_hosts):
    """On a host of its own, where every TCP connection of the rig is ended at once, from outside."""
    rig = choose_ports(Rig("reset", broker=BrokerPlan()))
    places = ["--directory", rig.broker.directory, "--publish", rig.broker.publish]
    places += ["--subscribe", rig.broker.subscribe]
    member = [sys.executable, str(Path(__file__).with_name("crowd_member.py"))]
    with (
        two_hosts() as (host, _, _),
        host.zbus("broker", *places),
        host.zbus("camera", "sim", "--id", "cam1", *places) as camera,
        host.start(*member, rig.broker.subscribe, "frame/cam1/", "2", stdin=PIPE, stdout=PIPE) as readers,
    ):
        assert readers.stdout.readline() == "ready\n"
        before = wait_for_seq(readers, 30)
        killed = host.run("ss", "-K", "-t", "state", "connected")
        if len(killed.stdout.splitlines()) < 4:
            pytest.skip(f"this kernel does not reset connections for `ss -K`: {killed.stderr}")
        after = wait_for_seq(readers, max(each["last"] for each in before) + 60)
        for now in after:
            assert now["restarts"] == 0
            assert now["refused"] == {}
            assert now["missing"] == now["lost"]
        assert "cam1" in host.run(*COMMAND, "ls", "--directory", rig.broker.directory).stdout
        assert camera.process.poll() is None
        readers.stdin.close()


def wait_for_seq(readers: Popen[str], seq: int) -> list[dict[str, Any]]:
    """What they have got, once each has this number or a later one."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        readers.stdin.write("tell\n")
        readers.stdin.flush()
        told = json.loads(readers.stdout.readline())
        if all(each["last"] >= seq for each in told):
            return told
        assert time.monotonic() < deadline_s, told
        time.sleep(0.1)
