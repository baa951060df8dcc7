"""A program: many honest subscribers of one camera in one process; at a line of input it tells what each got.

python crowd_member.py ENDPOINT TOPIC COUNT
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict

from zbus.transport import EVERY, Reactor, Subscriber


class Member:
    """One who wants every frame."""

    def __init__(self, endpoint: str, topic: str) -> None:
        self.subscriber = Subscriber(endpoint, topic, policy=EVERY)
        self.seqs: list[int] = []

    def take(self) -> None:
        for received in self.subscriber.take():
            self.seqs.append(received.origin.seq)

    def ledger(self) -> dict[str, object]:
        """What it got, by its own counters and by the `seq` that it saw.

        Why not by the camera's numbers: on a busy machine a camera may miss a frame, and that is no gap.
        """
        first, last = self.seqs[0], self.seqs[-1]
        missing = last - first + 1 - len(self.seqs)
        return {**asdict(self.subscriber.counters), "missing": missing, "first": first, "last": last}


def main(endpoint: str, topic: str, count: int) -> None:
    """Runs until the input ends."""

    def answer() -> None:
        if sys.stdin.readline():
            print(json.dumps([member.ledger() for member in members]), flush=True)
        else:
            reactor.stop()

    with ExitStack() as ends, Reactor() as reactor:
        members = [Member(endpoint, topic) for _ in range(count)]
        for member in members:
            ends.enter_context(member.subscriber)
            reactor.watch(member.subscriber.socket, member.take)
            ends.callback(reactor.unwatch, member.subscriber.socket)
        while not all(member.seqs for member in members):
            reactor.run_once(0.1)
        print("ready", flush=True)
        reactor.watch(sys.stdin.fileno(), answer)
        reactor.run()
        reactor.unwatch(sys.stdin.fileno())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
