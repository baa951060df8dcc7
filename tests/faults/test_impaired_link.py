"""The bad cable of the tests themselves: what it is told to do to packets, it does, and nothing else."""

from __future__ import annotations

import json
import socket
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from impaired_link import Direction, Impairment

pytestmark = pytest.mark.fault

# Sends numbered datagrams to who sends them back; prints which came, in what order, and how long each took.
_ASKER = """
import json, socket, sys, time
peer, count = sys.argv[1], int(sys.argv[2])
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.connect((peer, 7_777))
asker.settimeout(0.001)
sent, came, last = {}, [], time.monotonic()
while len(sent) < count or time.monotonic() - last < 0.5:
    if len(sent) < count:
        sent[len(sent)] = last = time.monotonic()
        asker.send(b"%d" % (len(sent) - 1))
    try:
        number = int(asker.recv(100))
    except OSError:
        continue
    last = time.monotonic()
    came.append((number, last - sent[number]))
print(json.dumps(came))
"""
_ECHO = """
import socket
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("", 7_777))
print("ready", flush=True)
while True:
    data, asker = echo.recvfrom(100)
    echo.sendto(data, asker)
"""
PACKET = bytes(1_000)


def way(**settings) -> Direction:
    direction = Direction(seed=3)
    direction.impairment = Impairment(**settings)
    return direction


def test_a_good_cable_delivers_at_once_and_in_order():
    good = way()
    for number in range(100):
        good.offer(b"%d" % number, 1.0)
    assert good.take(1.0) == [b"%d" % number for number in range(100)]
    assert good.next_s is None


def test_delay_and_jitter_keep_the_order():
    late = way(delay_s=0.05, jitter_s=0.01)
    for number in range(100):
        late.offer(b"%d" % number, 1.0 + number / 1_000)
    assert late.take(1.039) == []
    assert late.take(1.2) == [b"%d" % number for number in range(100)]


def test_what_overtakes_and_what_comes_twice():
    mixed = way(reorder=0.1, duplicate=0.1)
    for number in range(1_000):
        mixed.offer(b"%d" % number, number / 1_000)
    came = [int(packet) for packet in mixed.take(10.0)]
    assert sorted(set(came)) == list(range(1_000))
    assert len(came) == 1_000 + mixed.counters.duplicated
    assert any(after < before for before, after in pairwise(came))
    assert 50 < mixed.counters.overtaken < 150
    assert 50 < mixed.counters.duplicated < 150


def test_a_rate_lets_so_many_bytes_through_and_holds_a_bounded_queue():
    narrow = way(rate_bits_s=8_000_000, queue_bytes=100_000)
    for number in range(4_000):
        narrow.offer(PACKET, number / 2_000)
    # Twice what fits was offered for two seconds: 2 MB cross, and what waits comes afterwards.
    assert len(narrow.take(2.0)) == pytest.approx(2_000, abs=10)
    assert len(narrow.take(10.0)) == pytest.approx(100, abs=2)
    assert narrow.counters.queue_full == pytest.approx(1_900, abs=20)


def test_what_is_under_way_when_it_is_cut_is_lost():
    cut = way(delay_s=1.0)
    cut.offer(PACKET, 0.0)
    cut.impairment = Impairment(cut=True)
    cut.offer(PACKET, 0.5)
    assert cut.take(2.0) == []
    assert cut.counters.cut == 2


@pytest.fixture
def ends(two_hosts):
    with (
        two_hosts() as (left, right, link),
        right.start(sys.executable, "-S", "-c", _ECHO, stdout=-1) as echo,
    ):
        assert echo.stdout.readline() == "ready\n"
        yield left, right, link
        echo.kill()


def ask(host, peer, count: int) -> list[tuple[int, float]]:
    return json.loads(host.run(sys.executable, "-S", "-c", _ASKER, peer.address, str(count)).stdout)


def test_two_hosts_and_what_lies_between_them(ends):
    left, right, link = ends
    assert left.run("cat", "/proc/sys/kernel/hostname").stdout == "left\n"
    assert right.run(sys.executable, "-c", "import socket; print(socket.gethostname())").stdout == "right\n"
    assert socket.gethostname() not in ("left", "right")
    left.run("touch", "/dev/shm/mine")
    assert right.run("ls", "/dev/shm").stdout == ""
    assert len(ask(left, right, 200)) == 200
    link.impair(delay_s=0.02)
    assert min(took for _, took in ask(left, right, 50)) >= 0.04
    link.clear()
    link.impair_way(0, loss=0.2)
    assert 300 < len(ask(left, right, 500)) < 480
    with link.partition():
        assert ask(left, right, 20) == []
    link.clear()
    with link.partition(1):
        before = link.counters()
        assert ask(left, right, 20) == []
        there, back = link.counters()
        # One way only: the questions arrive, the answers do not.
        assert there.delivered - before[0].delivered == 20
        assert back.cut - before[1].cut == 20
    assert len(ask(left, right, 20)) == 20


def test_what_was_made_is_gone_even_after_a_failure(two_hosts):
    with pytest.raises(RuntimeError, match="of the test"), two_hosts() as (left, _, link):
        left_over = left.start("sleep", "600")
        raise RuntimeError("a failure of the test itself")
    assert left_over.wait() == -9
    assert left.namespace not in [path.name for path in Path("/run/netns").iterdir()]
    assert not left.folder.exists()
    assert not Path("/dev/shm", left.namespace).exists()
    assert not set(link.devices) & {name for _, name in socket.if_nameindex()}
