"""A small rig for the page's test: a broker, two cameras and a tracker in threads, and a gateway."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from zbus.gateways import GatewaySettings, run_gateway
from zbus.transport import FRAMES_OUT, Publisher
from zbus.wire import (
    EVENT,
    FRAME,
    JPEG,
    JPEG_RENDITION,
    OVERLAY,
    STATE,
    TRACKS,
    Event,
    Frame,
    OverlaySet,
    State,
    Topic,
    Tracks,
    TracksMessage,
    parse_overlay,
)

DEADLINE_S = 20.0
WIDTH, HEIGHT = 320, 240
GROUND, ANIMAL = 60, 230
BOX = (200, 60, 240, 100)
STEP_PX = 16
PERIOD_S = 0.033
NEST = (20, 140, 90, 210)
EVIL = "<img src=x onerror=document.title='hacked'>"


class Rig(threading.Thread):
    """Two cameras and a tracker in one thread; what they show may be changed as it runs."""

    def __init__(self, publish: str) -> None:
        super().__init__()
        self._publish = publish
        self.done = threading.Event()
        self.track_state = "confirmed"
        self.is_moving = False
        self.tracks_late_frames = 0
        self.insecure: set[str] = set()
        self.counters: dict[str, dict[str, int | float]] = {}
        self.overlay: list[dict[str, Any]] = []
        self.events: list[Event] = []

    def run(self) -> None:
        with (
            Publisher("cam1", link=FRAMES_OUT, connect=[self._publish]) as frames,
            Publisher("cam1", connect=[self._publish]) as cam1,
            Publisher("cam2", connect=[self._publish]) as cam2,
            Publisher("tracker1", connect=[self._publish]) as tracker1,
            Publisher("tracker2", connect=[self._publish]) as tracker2,
        ):
            waiting: deque[TracksMessage] = deque()
            number = 0
            while not self.done.wait(PERIOD_S):
                number += 1
                self._tell_states(cam1, cam2, tracker1, tracker2)
                self._tell(cam1, tracker1)
                waiting.append(self._show(frames, number))
                # A busy tracker: the tracks of a frame come after the next one's picture.
                while len(waiting) > 1 + self.tracks_late_frames:
                    tracker1.send(Topic(TRACKS, "tracker1"), waiting.popleft())

    def _tell_states(self, *publishers: Publisher) -> None:
        for publisher in publishers:
            name, cause = publisher.node, EVIL if publisher.node == "cam2" else ""
            told = State(
                role="camera" if name.startswith("cam") else "tracker",
                state="degraded" if cause else "running",
                since_ns=1,
                host=socket.gethostname(),
                pid=7,
                cause=cause,
                counters=self.counters.get(name, {}),
                details={"camera": f"cam{name[-1]}", "insecure": name in self.insecure},
            )
            publisher.send(Topic(STATE, name), told)

    def _tell(self, cam1: Publisher, tracker1: Publisher) -> None:
        while self.events:
            cam1.send(Topic(EVENT, "cam1"), self.events.pop())
        shapes = tuple(parse_overlay(form) for form in self.overlay)
        self.overlay = []
        if shapes:
            tracker1.send(Topic(OVERLAY, "cam1"), OverlaySet("cam1", shapes))

    def _show(self, frames: Publisher, number: int) -> TracksMessage:
        """Send a picture where it is wanted; returns the tracks that belong to it."""
        topic, (left, top, right, bottom) = Topic(FRAME, "cam1", JPEG_RENDITION), self._box(number)
        times = (time.time_ns(), time.monotonic_ns())
        if frames.wants_rendition(topic):
            picture = np.full((HEIGHT, WIDTH), GROUND, np.uint8)
            picture[top + 10 : bottom - 10, left + 10 : right - 10] = ANIMAL
            data = cv2.imencode(".jpg", picture)[1].tobytes()
            frames.send(topic, Frame("cam1", number, *times, WIDTH, HEIGHT, "mono8", data, codec=JPEG))
        rows = Tracks(
            track_ids=np.array([3]),
            centroids_px=np.array([[(left + right) / 2, (top + bottom) / 2]]),
            boxes_xyxy_px=np.array([(left, top, right, bottom)], np.float64),
            scores=np.array([1.0]),
            class_ids=np.array([0]),
            states=(self.track_state,),
        )
        return TracksMessage("cam1", number, *times, rows)

    def _box(self, number: int) -> tuple[int, int, int, int]:
        left, top, right, bottom = BOX
        moved = number * STEP_PX % (WIDTH - (right - left)) - left if self.is_moving else 0
        return left + moved, top, right + moved, bottom


class Gateway:
    """A gateway that can be stopped and started again at the same address."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints, self.url = endpoints, "http://127.0.0.1:0"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop, ready = threading.Event(), threading.Event()
        bind = self.url.removeprefix("http://")
        endpoints = self._endpoints["directory"], self._endpoints["subscribe"]
        settings = GatewaySettings(bind, *endpoints, title="Arena 2")

        def on_ready(url: str) -> None:
            self.url = url
            ready.set()

        def run(stop: threading.Event) -> None:
            run_gateway(settings, on_ready=on_ready, stop=stop)

        self._thread = threading.Thread(target=run, args=(self._stop,))
        self._thread.start()
        assert ready.wait(DEADLINE_S)

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(DEADLINE_S)
            self._thread = None
