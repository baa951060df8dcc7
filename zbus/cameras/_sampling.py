"""A few pictures from all over a video, for whoever must choose settings by looking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zbus.cameras._footage import open_footage
from zbus.errors import CameraNotFound

EVERY_FRAME_BELOW = 400


def sample_pictures(path: Path, count: int) -> list[NDArray[Any]]:
    """At most `count` pictures spread evenly over the video or folder at `path`, first to last.

    The places are approximate: a long video is sought, and containers seek to about where they are asked.
    Raises CameraNotFound where it is not a readable source of pictures.
    """
    footage = open_footage(path)
    try:
        pictures: list[NDArray[Any]] = []
        total = footage.expected or EVERY_FRAME_BELOW
        for place in _places(total, count):
            footage.seek(place)
            found = footage.read()
            if found is None:
                break
            pictures.append(found[1])
    finally:
        footage.close()
    if not pictures:
        raise CameraNotFound(
            f"{path} holds no picture that can be read", next_step=f"look at it: ffprobe {path}"
        )
    return pictures


def _places(total: int, count: int) -> list[int]:
    step = max(1.0, total / count)
    return [int(index * step) for index in range(min(count, total))]
