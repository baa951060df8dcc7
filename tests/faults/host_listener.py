"""A program: subscribes on one of the hosts, and writes down what it was handed, when, and how old it was.

    python host_listener.py '{"topics": ["frame/arena/"], "subscribe": "tcp://…", "directory": "tcp://…",
                              "policy": "latest", "camera": "arena", "key": "", "host": "right"}'

With `camera` it looks for the frames of that camera as a tracker does; else it listens at `subscribe`. One
JSON line for each message, and one of its counters at each line of input. Times are of the machine's
monotonic clock, the same for every host of the test.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from zbus.config import BrokerPlan
from zbus.nodes import find_frames
from zbus.transport import EVERY, Reactor, Received, Subscriber
from zbus.wire import Event, Frame, State


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def describe(received: Received) -> dict[str, Any]:
    """What the test wants to know of a message."""
    now_ns, body = time.monotonic_ns(), received.body
    line: dict[str, Any] = {"topic": str(received.topic), "at_ns": now_ns, "node": received.origin.node}
    line |= {"seq": received.origin.seq, "session": received.origin.session}
    if isinstance(body, Frame):
        line |= {"age_s": (now_ns - body.mono_ns) / 1e9, "number": body.frame_number}
    elif isinstance(body, Event):
        line |= {"event": body.event, "fields": {key: str(value) for key, value in body.fields.items()}}
    elif isinstance(body, State):
        line |= {"state": body.state, "counters": dict(body.counters), "details": repr(body.details)}
    return line


def main(wanted: dict[str, Any]) -> None:
    with Reactor() as reactor:
        plan = BrokerPlan(directory=wanted["directory"], subscribe=wanted["subscribe"], host=wanted["host"])
        camera = wanted.get("camera")
        endpoint = find_frames(camera, plan, reactor) if camera else wanted["subscribe"]
        subscriber = Subscriber(endpoint, wanted["topics"], policy=wanted.get("policy", EVERY))
        with subscriber:
            tell({"endpoint": endpoint})

            def take() -> None:
                for received in subscriber.take():
                    tell(describe(received))

            def answer() -> None:
                if sys.stdin.readline():
                    # Why first: so that all that it counts is among the lines.
                    take()
                    tell({"ledger": asdict(subscriber.counters)})
                else:
                    reactor.stop()

            reactor.watch(subscriber.socket, take)
            reactor.watch(sys.stdin.fileno(), answer)
            reactor.run()
            reactor.unwatch(sys.stdin.fileno())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
