"""Where a FileCamera's pictures come from: a video file, or a folder of pictures."""

from __future__ import annotations

import logging
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from zbus.cameras._decoding import decode_picture, open_video
from zbus.errors import CameraNotFound

if TYPE_CHECKING:
    import cv2

PICTURE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
GRAY_CODES = {b"Y800", b"Y8  ", b"GREY"}
MAX_FPS = 2000.0

_log = logging.getLogger(__name__)


class Footage(Protocol):
    """Pictures in order, read once from the start."""

    expected: int
    """How many pictures there should be; 0 where nobody knows."""
    fps: float
    """The rate that the source tells; 0 where it tells none."""

    def read(self, into: NDArray[Any] | None = None) -> tuple[int, NDArray[Any]] | None:
        """The next readable picture and its place from 0, or None at the end.

        It lies in `into` where the footage can do that and it fits.
        """
        ...

    def skip(self) -> bool:
        """Pass over one picture; false at the end."""
        ...

    def seek(self, place: int) -> None:
        """Go to about this place, where a container cannot do better."""
        ...

    def close(self) -> None: ...


def open_footage(path: Path) -> Footage:
    """Open what stands at `path`. Raises CameraNotFound saying whether it is missing, empty or unreadable."""
    if path.is_dir():
        return PictureFolder(path)
    if not path.exists():
        raise CameraNotFound(f"there is no file {path}", next_step=f"look for it: ls {path.parent}")
    if path.stat().st_size == 0:
        raise CameraNotFound(f"{path} is empty", next_step="copy or record the file again")
    return VideoFile(path)


class VideoFile:
    """The frames of a video, in the order in which the container plays them."""

    def __init__(self, path: Path) -> None:
        import cv2

        self._capture = open_video(str(path))
        if not self._capture.isOpened():
            raise CameraNotFound(
                f"{path} is not a video that this OpenCV {cv2.__version__} can decode, or its end is missing",
                next_step=f"look at it: ffprobe {path}",
            )
        self.expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.fps = _sane_fps(self._capture.get(cv2.CAP_PROP_FPS))
        self._place = 0
        _keep_gray(self._capture)

    def read(self, into: NDArray[Any] | None = None) -> tuple[int, NDArray[Any]] | None:
        readable, image = self._capture.read(into)
        if not readable:
            return None
        self._place += 1
        return self._place - 1, image

    def skip(self) -> bool:
        # Why: seeking lands on a neighbor in some containers; decoding one by one never does.
        self._place += 1
        return self._capture.grab()

    def seek(self, place: int) -> None:
        import cv2

        if place != self._place:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, place)
            self._place = place

    def close(self) -> None:
        self._capture.release()


class PictureFolder:
    """The pictures of a folder, sorted as a person would: frame2 before frame10.

    A picture that cannot be read, or that has another size than those before it, is passed over; the place
    of the next one shows the gap.
    """

    fps = 0.0

    def __init__(self, folder: Path) -> None:
        names = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
        if not names:
            raise CameraNotFound(
                f"the folder {folder} holds no pictures",
                next_step=f"put pictures there: {', '.join(sorted(PICTURE_SUFFIXES))}",
            )
        self._paths = sorted(names, key=natural_key)
        self.expected = len(self._paths)
        self._place = 0
        self._size: tuple[int, int] | None = None

    def read(self, into: NDArray[Any] | None = None) -> tuple[int, NDArray[Any]] | None:
        while self._place < len(self._paths):
            path, self._place = self._paths[self._place], self._place + 1
            image = _read_picture(path, self._size)
            if image is not None:
                self._size = (image.shape[0], image.shape[1])
                return self._place - 1, image
        return None

    def skip(self) -> bool:
        self._place += 1
        return self._place <= len(self._paths)

    def seek(self, place: int) -> None:
        self._place = place

    def close(self) -> None:
        self._place = len(self._paths)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A sort key under which numbers inside names count as numbers."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(piece), piece) if piece.isdigit() else (1, 0, piece) for piece in pieces]


def _read_picture(path: Path, size: tuple[int, int] | None) -> NDArray[Any] | None:
    try:
        image = decode_picture(path.read_bytes())
    except OSError as error:
        _log.warning("passed over %s: %s", path, error)
        return None
    if image is None:
        _log.warning("passed over %s: not a picture that can be decoded", path)
        return None
    if size is not None and image.shape[:2] != size:
        _log.warning("passed over %s: its size is not that of the pictures before it", path)
        return None
    return image


def _keep_gray(capture: cv2.VideoCapture) -> None:
    """Ask for the gray plane itself where the video has nothing else, instead of three copies of it."""
    import cv2

    code = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) & 0xFFFFFFFF
    if code.to_bytes(4, "little") in GRAY_CODES:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)


def _sane_fps(told: float) -> float:
    return told if math.isfinite(told) and 0 < told <= MAX_FPS else 0.0
