"""What one round is to carry, and the pictures that are carried."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Why a prime: a ring with any sensible number of slots then never keeps one marker for one slot.
MARKERS = 5
# Every so many rows begin with the marker, so that a picture made of two is found out.
MARKER_ROWS = 1

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Job:
    """One round: pictures of `shape`, `rate_hz` of them (0: as fast as it goes) for `seconds`.

    `folder` and `port` are free for the round's sockets. `pause_s` is how long a subscriber rests after each
    picture that it took; `window` is how many may be on their way where it goes as fast as it can.
    """

    shape: tuple[int, int, int]
    rate_hz: float
    seconds: float
    folder: str = ""
    port: int = 0
    subscribers: int = 1
    pause_s: float = 0.0
    window: int = 4

    @property
    def nbytes(self) -> int:
        """Bytes of one picture."""
        height, width, channels = self.shape
        return height * width * channels


@dataclass(frozen=True)
class Contender:
    """A way to carry pictures or messages: a module of `contenders`, and what is handed to it."""

    name: str
    module: str
    options: dict[str, Any] = field(default_factory=dict)


class Sender(NamedTuple):
    """`send(number)` sends the picture of that number; subscribers connect to `endpoint`."""

    endpoint: str
    send: Callable[[int], None]


class Got(NamedTuple):
    """What a subscriber holds: number and stamp as sent, the pixels, and whether they are still whole."""

    number: int
    stamp_ns: int
    image: Any
    is_whole: Callable[[], bool] | None = None


def now_ns() -> int:
    """The clock of all stamps: CLOCK_MONOTONIC."""
    return time.monotonic_ns()


def make_images(shape: tuple[int, int, int]) -> list[Image]:
    """One picture for each marker, of noise, and without a last axis where there is one channel."""
    noise = np.random.default_rng(1)
    images: list[Image] = []
    for marker in range(MARKERS):
        image = noise.integers(0, 255, shape, np.uint8)
        image = image[..., 0] if shape[2] == 1 else image
        mark(image, marker)
        images.append(np.ascontiguousarray(image))
    return images


def mark(image: Image, number: int) -> None:
    """Write the marker of a number: what a producer does that draws straight into its slot."""
    image[::MARKER_ROWS, 0] = number % MARKERS
    image[-1, -1] = number % MARKERS


def is_marked(image: Image, number: int) -> bool:
    """True where all of a picture is of this number."""
    marker = number % MARKERS
    return bool((image[::MARKER_ROWS, 0] == marker).all() and (image[-1, -1] == marker).all())
