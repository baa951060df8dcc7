"""Footage played once or around and around, with the numbers of its frames."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zbus.cameras._footage import Footage, open_footage
from zbus.errors import CameraNotFound

Numbered = tuple[int, NDArray[Any]]

_log = logging.getLogger(__name__)


class Reel:
    """Opens the footage at `path` and keeps its first picture ready.

    In each round `start_frame` pictures are passed over. Raises CameraNotFound where no picture is left.
    """

    def __init__(self, path: Path, start_frame: int, loop: bool) -> None:
        self.decoded = 0
        self._path, self._start_frame, self._loop = path, start_frame, loop
        self._round_start = 0
        self._last_place = start_frame - 1
        self._footage = self._open()
        first = self._read()
        if first is None:
            self.close()
            raise CameraNotFound(
                f"{path} has no readable picture from start_frame {start_frame} on",
                next_step=f"lower start_frame, or look at the file: ffprobe {path}",
            )
        self.first_image = first[1]
        self._waiting: Numbered | None = first

    @property
    def expected(self) -> int:
        """How many pictures the container announces; 0 where it does not."""
        return self._footage.expected

    @property
    def fps(self) -> float:
        """The rate that the footage tells; 0 where it tells none."""
        return self._footage.fps

    def next(self, into: NDArray[Any] | None = None) -> Numbered | None:
        """The next picture and its frame number, which counts on from round to round; None at the end.

        It lies in `into` where it can.
        """
        found, self._waiting = self._waiting or self._read(into), None
        if found is None and self._loop:
            self._rewind()
            found = self._read(into)
        return found

    def how_it_ended(self) -> str:
        """What to tell after the last picture: the end, or how many are missing."""
        if not self._is_short():
            return f"{self._path} ended"
        return f"{self._path} ended early: {self._last_place + 1} of {self.expected} frames could be decoded"

    def close(self) -> None:
        self._footage.close()

    def _open(self) -> Footage:
        footage = open_footage(self._path)
        for _ in range(self._start_frame):
            if not footage.skip():
                break
        return footage

    def _read(self, into: NDArray[Any] | None = None) -> Numbered | None:
        found = self._footage.read(into)
        if found is None:
            self._warn_if_short()
            return None
        self.decoded += 1
        self._last_place = found[0]
        return self._round_start + found[0], found[1]

    def _rewind(self) -> None:
        self._footage.close()
        self._round_start += self._last_place + 1 - self._start_frame
        self._footage = self._open()

    def _is_short(self) -> bool:
        return self._last_place + 1 < self.expected

    def _warn_if_short(self) -> None:
        if self._is_short() and self._round_start == 0:
            _log.warning("%s", self.how_it_ended())
