"""A camera at 30 Hz that stamps its frames with this machine's clock, and somebody who reads the newest."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from honest import CAM, picture

from zbus.transport import EVERY, FRAMES_OUT, LATEST, Gap, Publisher, Restart, Subscriber

RATE_HZ = 30.0


class StampingCamera(threading.Thread):
    """Publishes through a broker until it is ended."""

    def __init__(self, publish: str) -> None:
        super().__init__(daemon=True)
        self._publish = publish
        self._stop_asked = threading.Event()
        self.sent = 0

    def run(self) -> None:
        frame = picture()
        with Publisher("n1", link=FRAMES_OUT, connect=[self._publish]) as publisher:
            while not self._stop_asked.wait(1 / RATE_HZ):
                times = {"captured_ns": time.time_ns(), "mono_ns": time.monotonic_ns()}
                publisher.send(CAM, replace(frame, frame_number=self.sent, **times))
                self.sent += 1

    def __enter__(self) -> StampingCamera:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()


class Reader(threading.Thread):
    """Keeps what was handed to it: when, how old it was then, and its `seq`."""

    def __init__(self, subscribe: str, policy: str = LATEST) -> None:
        super().__init__(daemon=True)
        self._subscribe, self._policy = subscribe, policy
        self._stop_asked = threading.Event()
        self.handed: list[tuple[int, float, int]] = []
        self.found: list[Gap | Restart] = []

    def run(self) -> None:
        with Subscriber(
            self._subscribe, str(CAM), policy=self._policy, on_finding=self.found.append
        ) as subscriber:
            self.counters = subscriber.counters
            while not self._stop_asked.is_set():
                received = subscriber.recv(0.05)
                if received is not None:
                    now_ns = time.monotonic_ns()
                    age_s = (now_ns - received.body.mono_ns) / 1e9
                    self.handed.append((now_ns, age_s, received.origin.seq))

    def __enter__(self) -> Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()

    def after(self, mono_ns: int) -> list[tuple[int, float, int]]:
        return [each for each in self.handed if each[0] > mono_ns]

    def settles(self) -> bool:
        """True where every number from the first to the last was handed over or counted as missing."""
        seqs = [seq for _, _, seq in self.handed]
        counters = self.counters
        missing = counters.lost + counters.skipped + counters.stale + counters.overruns
        return seqs[-1] - seqs[0] + 1 == len(seqs) + missing


__all__ = ["EVERY", "LATEST", "Reader", "StampingCamera"]
