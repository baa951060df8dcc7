"""Tracks of ten animals over ipc and tcp, in one hop and through the forwarder: zbus, and pyzmq with msgpack.

Both make the same message of the same arrays, and arrays of it again. "bare" packs and unpacks lists alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from harness.job import Contender, Job
from harness.report import Findings, Words, read_words, run_all, tell
from harness.summary import Target, Targets, ratio

RATE_HZ = 1_000.0
# So many are on their way at most where it goes as fast as it can: less than the queue of the forwarder.
WINDOW = 48
WAYS = tuple((over, forwarded) for over in ("ipc", "tcp") for forwarded in (False, True))
FORWARDER_MAX_US = 150.0


def main() -> int:
    words = read_words(__doc__ or "", rounds=7, seconds=1.0, sizes=(), quick_sizes=())
    findings = run_all(cases_of(words), words.rounds)
    return tell("messages", words, findings, targets_of(findings))


def cases_of(words: Words) -> Iterator[tuple[str, Contender, Job]]:
    for over, forwarded in WAYS:
        options = {"over": over, "forwarded": forwarded}
        contenders = (
            Contender("zbus", "zbus_tracks", options),
            Contender("pyzmq + msgpack", "plain_tracks", options),
            Contender("pyzmq + msgpack, bare", "plain_tracks", options | {"bare": True}),
        )
        for contender in filter(words.wants, contenders):
            yield paced(over, forwarded), contender, Job((0, 0, 0), RATE_HZ, words.seconds)
            yield flat_out(over, forwarded), contender, Job((0, 0, 0), 0, words.seconds, window=WINDOW)


def paced(over: str, forwarded: bool) -> str:
    return f"tracks, {way_of(over, forwarded)}, at {RATE_HZ:g} Hz"


def flat_out(over: str, forwarded: bool) -> str:
    return f"tracks, {way_of(over, forwarded)}, flat out"


def way_of(over: str, forwarded: bool) -> str:
    return f"{over}, {'through the forwarder' if forwarded else 'one hop'}"


def targets_of(findings: Findings) -> Targets:
    """A6: messages a second beside pyzmq with msgpack, and what the forwarder adds."""
    targets = Targets()
    for over, forwarded in WAYS:
        case = flat_out(over, forwarded)
        value = ratio(
            findings.figure(case, "zbus", "per_s"), findings.figure(case, "pyzmq + msgpack", "per_s")
        )
        if value is not None:
            targets.add(
                "A6", Target(f"messages a second of zbus / pyzmq + msgpack, {case}", value, 0.8, True)
            )
    for over in ("ipc", "tcp"):
        one, other = (findings.figure(paced(over, each), "zbus", "p50_us") for each in (True, False))
        if one is not None and other is not None:
            of = f"p50 that the forwarder adds in units of {FORWARDER_MAX_US:g} us (absolute), {over}"
            targets.add("A6", Target(of, (one - other) / FORWARDER_MAX_US, 1.0))
    return targets


if __name__ == "__main__":
    sys.exit(main())
