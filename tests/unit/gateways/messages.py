"""What the bus would have handed over, made by hand."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np

from zbus.transport import Received
from zbus.wire import (
    EVENT,
    FRAME,
    JPEG,
    OVERLAY,
    STATE,
    TRACKS,
    Event,
    Frame,
    Origin,
    OverlaySet,
    State,
    Topic,
    Tracks,
    TracksMessage,
    parse_overlay,
)

UTC_NS = 1_800_000_000_123_456_789

_seq = itertools.count()


def received(
    topic: Topic, body: Any, *, node: str = "", seq: int | None = None, session: str = "s"
) -> Received:
    origin = Origin(node or topic.source, session, next(_seq) if seq is None else seq, UTC_NS)
    return Received(topic, origin, body, time.monotonic_ns())


def state(
    node: str, *, role: str = "camera", name: str = "running", host: str = "elsewhere", **more: Any
) -> Received:
    body = State(role=role, state=name, since_ns=UTC_NS, host=host, pid=7, **more)
    return received(Topic(STATE, node), body)


def event(sender: str, name: str, **fields: Any) -> Received:
    return received(Topic(EVENT, sender), Event(name, fields))


def picture(
    camera: str, frame_number: int = 1, *, seq: int | None = None, data: bytes = b"\xff\xd8jpeg"
) -> Received:
    frame = Frame(
        camera=camera,
        frame_number=frame_number,
        captured_ns=UTC_NS,
        mono_ns=time.monotonic_ns(),
        width=64,
        height=48,
        pixel_format="mono8",
        data=data,
        codec=JPEG,
    )
    return received(Topic(FRAME, camera, "jpeg"), frame, seq=seq)


def tracks(camera: str, frame_number: int = 1, *, source: str = "tracker1") -> Received:
    rows = Tracks(
        track_ids=np.array([1, 2]),
        centroids_px=np.array([[10.0, 20.126], [30.5, 40.0]]),
        boxes_xyxy_px=np.array([[5.0, 15.0, 15.0, 25.0], [25.0, 35.0, 36.0, 45.0]]),
        scores=np.array([1.0, 0.5]),
        class_ids=np.array([0, 0]),
        states=("confirmed", "lost"),
    )
    body = TracksMessage(camera, frame_number, UTC_NS, time.monotonic_ns(), rows)
    return received(Topic(TRACKS, source), body)


def overlay(camera: str, *, lifetime_s: float = 1.0) -> Received:
    form = {
        "DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]},
        "label": "nest",
        "lifetime_s": lifetime_s,
    }
    return received(Topic(OVERLAY, camera), OverlaySet(camera, (parse_overlay(form),)), node="overlay")
