"""Honest people beside whom a test misbehaves, and what a broker says of itself meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from zbus.transport import EVERY, FRAMES_OUT, Publisher, Subscriber
from zbus.wire import Frame, Topic, frame_of_image

CAM = Topic("frame", "cam1")
PERIOD_S = 0.04


def picture(number: int = 0) -> Frame:
    """A gray picture of 640 x 480."""
    image = np.zeros((480, 640), np.uint8)
    return frame_of_image(image, "mono8", camera="cam1", frame_number=number, captured_ns=0, mono_ns=0)


class Honest:
    """A camera at 25 Hz and who watches it, in threads of their own, while the test misbehaves."""

    def __init__(self, broker) -> None:
        self._broker = broker
        self._stop_asked = threading.Event()
        self._threads = [threading.Thread(target=self._publish), threading.Thread(target=self._listen)]
        self.heard = 0

    def __enter__(self) -> Honest:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        for thread in self._threads:
            thread.join()

    def _publish(self) -> None:
        frame = picture()
        with Publisher("n1", link=FRAMES_OUT, connect=[self._broker.publish]) as publisher:
            while not self._stop_asked.wait(PERIOD_S):
                publisher.send(CAM, frame)

    def _listen(self) -> None:
        with Subscriber(self._broker.subscribe, "frame/cam1/", policy=EVERY) as subscriber:
            while not self._stop_asked.is_set():
                self.heard += subscriber.recv(0.05) is not None
            self.counters = subscriber.counters


def state_counters(broker) -> dict[str, float]:
    """What the broker itself says about what it has counted."""
    with Subscriber(broker.subscribe, "state/directory/") as subscriber:
        subscriber.recv(10)
        received = subscriber.recv(10)
        assert received is not None
        return received.body.counters


def wait_for_counters(broker, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """What it says once the condition holds; the test's own time limit ends the wait."""
    while not condition(counters := state_counters(broker)):
        pass
    return counters
