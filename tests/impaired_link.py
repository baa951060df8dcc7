"""A bad cable between two network namespaces: two TUN devices, and a process that carries packets across.

What each direction does to them is said while it runs. Why not the kernel's `netem`: many kernels lack it.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

PENDING_MAX_PACKETS = 20_000
TAKE_MAX_PACKETS = 64
PACKET_MAX_BYTES = 65_535
# A packet that is overtaken comes so much later than its turn.
OVERTAKEN_S = 0.01
END_TIMEOUT_S = 10.0

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000


@dataclass(frozen=True)
class Impairment:
    """What a direction does. Shares are 0..1; `rate_bits_s` 0 is as fast as it goes.

    Packets wait for `delay_s`, more or less by up to `jitter_s`, and keep their order but for the share
    `reorder` of them. Under a rate, `queue_bytes` may wait for their turn and the next are dropped.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    rate_bits_s: float = 0.0
    queue_bytes: int = 256_000
    cut: bool = False


@dataclass
class DirectionCounters:
    """What became of the packets that were `offered`; `nbytes` are those of the delivered."""

    offered: int = 0
    delivered: int = 0
    nbytes: int = 0
    lost: int = 0
    cut: int = 0
    queue_full: int = 0
    duplicated: int = 0
    overtaken: int = 0


class Direction:
    """One way of the cable, as a plain object: no device, and no clock but the one it is handed."""

    def __init__(self, seed: int = 0) -> None:
        self.impairment = Impairment()
        self.counters = DirectionCounters()
        self._chance = random.Random(seed)
        self._under_way: list[tuple[float, int, bytes]] = []
        self._free_s = self._last_s = 0.0

    def offer(self, packet: bytes, now_s: float) -> None:
        """Take a packet in, or drop and count it."""
        how, counters = self.impairment, self.counters
        counters.offered += 1
        if how.cut:
            counters.cut += 1
        elif self._chance.random() < how.loss:
            counters.lost += 1
        elif not self._has_room(now_s):
            counters.queue_full += 1
        else:
            self._send(packet, now_s)

    def take(self, now_s: float) -> list[bytes]:
        """The packets whose time has come, in order. What is under way while it is cut is lost."""
        due: list[bytes] = []
        while self._under_way and self._under_way[0][0] <= now_s:
            due.append(heapq.heappop(self._under_way)[2])
        if self.impairment.cut:
            self.counters.cut += len(due)
            return []
        self.counters.delivered += len(due)
        self.counters.nbytes += sum(map(len, due))
        return due

    @property
    def next_s(self) -> float | None:
        """When the next packet is due."""
        return self._under_way[0][0] if self._under_way else None

    def _has_room(self, now_s: float) -> bool:
        waiting_bytes = max(0.0, self._free_s - now_s) * self.impairment.rate_bits_s / 8
        return waiting_bytes <= self.impairment.queue_bytes and len(self._under_way) < PENDING_MAX_PACKETS

    def _send(self, packet: bytes, now_s: float) -> None:
        how = self.impairment
        self._free_s = max(now_s, self._free_s if how.rate_bits_s else now_s)
        if how.rate_bits_s:
            self._free_s += len(packet) * 8 / how.rate_bits_s
        wait_s = max(0.0, how.delay_s + self._chance.uniform(-how.jitter_s, how.jitter_s))
        due_s = max(self._free_s + wait_s, self._last_s)
        if self._chance.random() < how.reorder:
            self.counters.overtaken += 1
            self._push(due_s + OVERTAKEN_S, packet)
        else:
            self._last_s = due_s
            self._push(due_s, packet)
        if self._chance.random() < how.duplicate:
            self.counters.duplicated += 1
            self._push(due_s, packet)

    def _push(self, due_s: float, packet: bytes) -> None:
        # Why the count: packets of the same time keep their order.
        heapq.heappush(self._under_way, (due_s, self.counters.offered * 2 + self.counters.duplicated, packet))


class ImpairedLink:
    """Two TUN devices, `devices`, joined by a process of its own; ends with `with`, and the devices with it.

    Why a process: what the test itself does must not delay packets.
    """

    def __init__(self, name: str) -> None:
        self.devices = (f"{name}a", f"{name}b")
        self._ways = [Impairment(), Impairment()]

    def __enter__(self) -> ImpairedLink:
        with contextlib.ExitStack() as opened:
            ends = [_open_tun(device) for device in self.devices]
            for end in ends:
                opened.callback(os.close, end)
            self._process = subprocess.Popen(
                [sys.executable, "-S", __file__, *map(str, ends)],
                pass_fds=ends,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def impair(self, **changes: Any) -> None:
        """Change both ways, by the names of Impairment."""
        self._set([replace(way, **changes) for way in self._ways])

    def impair_way(self, way: int, **changes: Any) -> None:
        """Change one way: 0 from the first device to the second, 1 back."""
        self._set([replace(each, **changes) if at == way else each for at, each in enumerate(self._ways)])

    def clear(self) -> None:
        """A good cable again."""
        self._set([Impairment(), Impairment()])

    @contextlib.contextmanager
    def partition(self, *ways: int) -> Any:
        """Nothing crosses meanwhile: both ways, or those given."""
        before = self._ways
        self._set([replace(way, cut=at in (ways or (0, 1))) for at, way in enumerate(before)])
        try:
            yield
        finally:
            self._set(before)

    def counters(self) -> tuple[DirectionCounters, DirectionCounters]:
        """What has crossed so far, each way."""
        first, second = self._ask({})
        return DirectionCounters(**first), DirectionCounters(**second)

    def _set(self, ways: list[Impairment]) -> None:
        self._ways = ways
        self._ask({"ways": [asdict(way) for way in ways]})

    def _ask(self, command: dict[str, Any]) -> list[dict[str, int]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process that carries packets has ended"
        return json.loads(answer)


def _open_tun(device: str) -> int:
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(end)
        raise
    return end


def carry(ends: list[int]) -> None:
    """Carry packets between two devices until the standard input ends; each line of it is a command."""
    ways = [Direction(1), Direction(2)]
    commands = b""
    while True:
        ready = select.select([*ends, 0], [], [], _pause_s(ways))[0]
        for at, end in enumerate(ends):
            if end in ready:
                _take_in(end, ways[at])
        for at, way in enumerate(ways):
            for packet in way.take(time.monotonic()):
                # Why: a device that is not up yet, or not any more, refuses; that is what a cable does too.
                with contextlib.suppress(OSError):
                    os.write(ends[1 - at], packet)
        if 0 in ready:
            read = os.read(0, 65_536)
            if not read:
                return
            *lines, commands = (commands + read).split(b"\n")
            for line in lines:
                _obey(json.loads(line), ways)


def _pause_s(ways: list[Direction]) -> float | None:
    due_s = [way.next_s for way in ways if way.next_s is not None]
    return max(0.0, min(due_s) - time.monotonic()) if due_s else None


def _take_in(end: int, way: Direction) -> None:
    for _ in range(TAKE_MAX_PACKETS):
        try:
            packet = os.read(end, PACKET_MAX_BYTES)
        except OSError:
            # Nothing more now, or the device is not up.
            return
        way.offer(packet, time.monotonic())


def _obey(command: dict[str, Any], ways: list[Direction]) -> None:
    for way, settings in zip(ways, command.get("ways", ()), strict=False):
        way.impairment = Impairment(**settings)
    print(json.dumps([asdict(way.counters) for way in ways]), flush=True)


if __name__ == "__main__":
    carry([int(each) for each in sys.argv[1:]])
