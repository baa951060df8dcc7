"""Frames between processes of one machine: zbus, its bare ring, plain pyzmq, and what else carries pictures.

Each contender sends at 100 Hz (latency, CPU) and then as fast as it goes (pictures a second).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from harness.job import Contender, Job
from harness.report import Findings, Words, name_of, read_words, run_all, tell
from harness.summary import Target, Targets, ratio

HD, UHD = "1920x1080x3", "3840x2160x3"
SIZES = ("640x480x1", "640x480x3", HD, UHD)
RATE_HZ = 100.0

LOAN, COPY = "zbus ring, loan", "zbus ring, copy in"
BARE, ICEORYX, IMAGEZMQ = "bare ring, loan", "iceoryx2, loan", "imagezmq"
INLINE, ZMQ = "zbus inline tcp", "zmq tcp"
INLINE_CURVE, ZMQ_CURVE = "zbus inline tcp CURVE", "zmq tcp CURVE"
LATEST, SLOW_ZMQ = "zbus latest, at 20 Hz", "zmq default marks, at 20 Hz"

CONTENDERS = (
    Contender(LOAN, "zbus_frames", {"ring": "loan", "view": True}),
    Contender(COPY, "zbus_frames", {"ring": "copy", "view": True}),
    Contender("zbus ring, copy in and out", "zbus_frames", {"ring": "copy"}),
    Contender(BARE, "bare_ring", {"loan": True}),
    Contender("bare ring, copy in", "bare_ring", {"loan": False}),
    Contender(ICEORYX, "iceoryx", {"loan": True}),
    Contender("iceoryx2, copy in", "iceoryx", {"loan": False}),
    Contender("zenoh shared memory", "zenoh_shm"),
    Contender(INLINE, "zbus_frames"),
    Contender(ZMQ, "plain_zmq"),
    Contender("zmq ipc", "plain_zmq", {"over": "ipc"}),
    Contender(IMAGEZMQ, "imagezmq_pub"),
    Contender("NetGear", "netgear"),
    Contender("pyMultiVideo, msgpack", "pymultivideo", {"form": "msgpack"}),
    Contender("pyMultiVideo, JSON", "pymultivideo", {"form": "json"}),
)
CURVE = (
    Contender(INLINE_CURVE, "zbus_frames", {"curve": True}),
    Contender(ZMQ_CURVE, "plain_zmq", {"curve": True}),
)
SLOW = (
    Contender(LATEST, "zbus_frames", {"policy": "latest"}),
    Contender(SLOW_ZMQ, "plain_zmq", {"queue": 1_000}),
)


def main() -> int:
    words = read_words(__doc__ or "", rounds=5, seconds=1.0, sizes=SIZES, quick_sizes=(HD,))
    findings = run_all(cases_of(words), words.rounds)
    return tell("transport", words, findings, targets_of(findings))


def cases_of(words: Words) -> Iterator[tuple[str, Contender, Job]]:
    """Every size paced and flat out, and with CURVE; then a consumer that is too slow."""
    for shape in words.sizes:
        for contender in filter(words.wants, CONTENDERS):
            yield paced(name_of(shape)), contender, Job(shape, RATE_HZ, words.seconds)
            yield flat_out(name_of(shape)), contender, Job(shape, 0, words.seconds)
        for contender in filter(words.wants, CURVE):
            yield flat_out(name_of(shape)), contender, Job(shape, 0, words.seconds)
    for contender in filter(words.wants, SLOW):
        job = Job((480, 640, 1), RATE_HZ, max(2.0, 2 * words.seconds), pause_s=1 / 20)
        yield "640x480x1, consumer at 20 Hz", contender, job


def paced(size: str) -> str:
    return f"{size} at {RATE_HZ:g} Hz"


def flat_out(size: str) -> str:
    return f"{size} flat out"


def targets_of(findings: Findings) -> Targets:
    """A1, A2, A4, A5 and A7 of the goals, as far as they were measured."""
    targets = Targets()

    def compare(
        number: str, case: str, key: str, one: str, other: str, bound: float, *, at_least: bool = False
    ):
        value = ratio(findings.figure(case, one, key), findings.figure(case, other, key))
        if value is not None:
            targets.add(number, Target(f"{key} of {one} / {other}, {case}", value, bound, at_least))

    for size in (HD, UHD):
        compare("A1", paced(size), "p50_us", LOAN, ICEORYX, 1.0)
        compare("A1", paced(size), "p50_us", LOAN, BARE, 1.15)
    compare("A1", paced(HD), "p50_us", LOAN, IMAGEZMQ, 0.1)
    compare("A2", flat_out(UHD), "per_s", LOAN, ZMQ, 5.0, at_least=True)
    compare("A2", flat_out(UHD), "per_s", LOAN, ICEORYX, 1.0, at_least=True)
    for size in SIZES:
        compare("A4", paced(size), "p50_us", INLINE, ZMQ, 1.1)
        compare("A4", paced(size), "publisher_cpu_us", INLINE, ZMQ, 1.1)
        compare("A4", paced(size), "subscriber_cpu_us", INLINE, ZMQ, 1.1)
        compare("A7", flat_out(size), "per_s", INLINE_CURVE, ZMQ_CURVE, 0.9, at_least=True)
    lag_us = findings.figure("640x480x1, consumer at 20 Hz", LATEST, "p99_us")
    if lag_us is not None:
        targets.add("A5", Target(f"p99 lag of {LATEST} in units of 15 ms (absolute)", lag_us / 15_000, 1.0))
    return targets


if __name__ == "__main__":
    sys.exit(main())
