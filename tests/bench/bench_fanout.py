"""One publisher of 1080p at 100 Hz and 1, 3 and 10 subscribers: latency, what is lost, and what it costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from harness.job import Contender, Job
from harness.report import Findings, Words, name_of, read_words, run_all, tell
from harness.summary import Target, Targets, ratio

RATE_HZ = 100.0
SUBSCRIBERS = (1, 3, 10)
RING, ZMQ = "zbus ring, loan", "zmq tcp"
CONTENDERS = (
    Contender(RING, "zbus_frames", {"ring": "loan", "view": True}),
    Contender("zbus ring, copy in", "zbus_frames", {"ring": "copy", "view": True}),
    Contender("bare ring, loan", "bare_ring", {"loan": True}),
    Contender("iceoryx2, loan", "iceoryx", {"loan": True}),
    Contender("zbus inline tcp", "zbus_frames"),
    Contender(ZMQ, "plain_zmq"),
    Contender("imagezmq", "imagezmq_pub"),
)


def main() -> int:
    words = read_words(
        __doc__ or "", rounds=5, seconds=2.0, sizes=("1920x1080x3",), quick_sizes=("1920x1080x3",)
    )
    findings = run_all(cases_of(words), words.rounds)
    return tell("fanout", words, findings, targets_of(words, findings))


def cases_of(words: Words) -> Iterator[tuple[str, Contender, Job]]:
    for shape in words.sizes:
        for subscribers in SUBSCRIBERS:
            for contender in filter(words.wants, CONTENDERS):
                job = Job(shape, RATE_HZ, words.seconds, subscribers=subscribers)
                yield case_of(name_of(shape), subscribers), contender, job


def case_of(size: str, subscribers: int) -> str:
    return f"{size}, {subscribers:2} subscribers"


def targets_of(words: Words, findings: Findings) -> Targets:
    """A3: what the publisher pays for three subscribers, and that they miss nothing."""
    targets = Targets()
    for shape in words.sizes:
        case = case_of(name_of(shape), 3)
        key = "publisher_cpu_us"
        value = ratio(findings.figure(case, RING, key), findings.figure(case, ZMQ, key))
        lost = findings.figure(case, RING, "lost")
        if value is not None:
            targets.add("A3", Target(f"{key} of {RING} / {ZMQ}, {case}", value, 0.15))
        if lost is not None:
            overrun = findings.figure(case, RING, "overrun") or 0
            targets.add("A3", Target(f"frames lost by {RING} (absolute), {case}", lost + overrun, 0))
    return targets


if __name__ == "__main__":
    sys.exit(main())
