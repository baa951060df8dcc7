"""A stand-in for cv2.VideoCapture on a V4L2 device: OpenCV itself needs hardware."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

START = {
    cv2.CAP_PROP_FRAME_WIDTH: 640.0,
    cv2.CAP_PROP_FRAME_HEIGHT: 480.0,
    cv2.CAP_PROP_FPS: 30.0,
    cv2.CAP_PROP_AUTO_EXPOSURE: 3.0,
    cv2.CAP_PROP_EXPOSURE: 157.0,
    cv2.CAP_PROP_GAIN: 10.0,
    cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"YUYV")),
}
SIZE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)


class FakeCapture:
    """Takes a size only once it was told both halves, as V4L2 does; keeps what `stubborn` lists."""

    def __init__(self, stubborn: tuple[int, ...] = (), opens: bool = True) -> None:
        self.values = dict(START)
        self.readable = True
        self.released = False
        self._stubborn, self._opens = stubborn, opens
        self._half_size: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's spelling
        return self._opens

    def getBackendName(self) -> str:  # noqa: N802  OpenCV's spelling
        return "V4L2"

    def get(self, prop: int) -> float:
        return 1234.5 if prop == cv2.CAP_PROP_POS_MSEC else self.values.get(prop, -1.0)

    def set(self, prop: int, value: float) -> bool:
        if prop in self._stubborn or prop not in self.values:
            return False
        if prop not in SIZE:
            self.values[prop] = value
            return True
        self._half_size[prop] = value
        if len(self._half_size) == len(SIZE):
            self.values.update(self._half_size)
            self._half_size = {}
        return True

    def grab(self) -> bool:
        return self.readable

    def retrieve(self, image: np.ndarray | None = None) -> tuple[bool, np.ndarray]:
        width, height = (int(self.values[prop]) for prop in SIZE)
        if image is None or image.shape != (height, width, 3):
            image = np.empty((height, width, 3), np.uint8)
        image[:] = 0
        return True, image

    def release(self) -> None:
        self.released = True


@pytest.fixture
def fake_capture() -> type[FakeCapture]:
    return FakeCapture
