"""Messages for these tests: small, and right by the spec."""

from __future__ import annotations

import numpy as np

from zbus.wire import EVENT, Event, Frame, Message, Origin, Topic, encode_message, frame_of_image

TOPIC = Topic(EVENT, "n1")
CAM = Topic("frame", "cam1")


def event(name: str = "tick", **fields: object) -> Event:
    return Event(name, fields)


def frame(number: int = 0, width: int = 64, height: int = 48, camera: str = "cam1") -> Frame:
    image = np.full((height, width), number % 256, np.uint8)
    return frame_of_image(
        image, "mono8", camera=camera, frame_number=number, captured_ns=number, mono_ns=number
    )


def message(seq: int, session: str = "s1", topic: Topic = TOPIC) -> Message:
    return Message(topic, Origin("n1", session, seq, 0), {})


def parts(seq: int, session: str = "s1", topic: Topic = TOPIC) -> list[bytes]:
    return [bytes(part) for part in encode_message(topic, Origin("n1", session, seq, 1), event())]
