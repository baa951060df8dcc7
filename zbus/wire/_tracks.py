"""Tracks as columns: what trackers give and what travels on `tracks/` (spec 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._header import Header, read_int, read_list, read_text
from zbus.wire._limits import NUMBER_MAX, TRACKS_MAX_ROWS
from zbus.wire._topics import TRACKS

TENTATIVE, CONFIRMED, LOST = "tentative", "confirmed", "lost"
TRACK_STATES = (TENTATIVE, CONFIRMED, LOST)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The identities of one picture, a row a track, in pixels of that picture.

    `track_ids` int64 (n,); `centroids_px` float64 (n, 2) as x, y; `boxes_xyxy_px` float64 (n, 4) as left,
    top, right, bottom; `scores` float64 (n,) in 0..1, how sure the tracker is of the row; `class_ids`
    int64 (n,); `states` one of tentative, confirmed, lost for each row (lost: the place is a prediction).
    Every number is finite.
    """

    track_ids: NDArray[np.int64]
    centroids_px: NDArray[np.float64]
    boxes_xyxy_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    states: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.track_ids)


@dataclass(frozen=True, slots=True)
class TracksMessage:
    """Tracks with the frame that they belong to: its camera, number and times."""

    kind: ClassVar[str] = TRACKS

    camera: str
    frame_number: int
    captured_ns: int
    mono_ns: int
    tracks: Tracks

    def header(self) -> dict[str, Any]:
        """The keys a tracks message adds to the header. Raises WireError where the columns disagree."""
        tracks = self.tracks
        _check_columns(tracks)
        return {
            "camera": self.camera,
            "frame_number": self.frame_number,
            "captured_ns": self.captured_ns,
            "mono_ns": self.mono_ns,
            "track_ids": tracks.track_ids.tolist(),
            "centroids_px": tracks.centroids_px.tolist(),
            "boxes_xyxy_px": tracks.boxes_xyxy_px.tolist(),
            "scores": tracks.scores.tolist(),
            "class_ids": tracks.class_ids.tolist(),
            "states": list(tracks.states),
        }

    def payload(self) -> tuple[Buffer, ...]:
        """Nothing: the columns are in the header."""
        return ()


def decode_tracks(message: Message) -> TracksMessage:
    """Read a tracks message. Raises WireError."""
    header = message.header
    track_ids = read_list(header, "track_ids", TRACKS_MAX_ROWS)
    rows = len(track_ids)
    tracks = Tracks(
        track_ids=_integers(track_ids, "track_ids"),
        centroids_px=_numbers(header, "centroids_px", rows, 2),
        boxes_xyxy_px=_numbers(header, "boxes_xyxy_px", rows, 4),
        scores=_numbers(header, "scores", rows),
        class_ids=_integers(read_list(header, "class_ids", TRACKS_MAX_ROWS), "class_ids"),
        states=tuple(read_list(header, "states", TRACKS_MAX_ROWS)),
    )
    _check_columns(tracks)
    return TracksMessage(
        camera=read_text(header, "camera", 64),
        frame_number=read_int(header, "frame_number"),
        captured_ns=read_int(header, "captured_ns"),
        mono_ns=read_int(header, "mono_ns"),
        tracks=tracks,
    )


def _integers(values: list[Any], key: str) -> NDArray[np.int64]:
    if not all(type(value) is int for value in values):
        raise WireError("wrong_type", f"{key} has what is not an integer")
    try:
        return np.array(values, np.int64)
    except OverflowError:
        raise WireError("out_of_range", f"{key} has an integer past 64 bits") from None


def _numbers(header: Header, key: str, rows: int, columns: int = 0) -> NDArray[np.float64]:
    values = read_list(header, key, TRACKS_MAX_ROWS)
    shape = (rows, columns) if columns else (rows,)
    # Why: numpy would turn texts and booleans into numbers, and the spec has none of them here.
    rows_of = cast(list[list[Any]], [row for row in values if isinstance(row, list)])
    flat = [item for row in rows_of for item in row] if columns else values
    if not all(type(value) is float or type(value) is int for value in flat):
        raise WireError("wrong_type", f"{key} has what is not a number")
    if len(values) != rows or len(flat) != rows * (columns or 1):
        raise WireError("size_mismatch", f"{key} is not {' x '.join(map(str, shape))}")
    try:
        return np.array(values, np.float64).reshape(shape)
    except (ValueError, OverflowError):
        raise WireError("size_mismatch", f"{key} is not {' x '.join(map(str, shape))}") from None


def _check_columns(tracks: Tracks) -> None:
    rows = len(tracks)
    if rows > TRACKS_MAX_ROWS:
        raise WireError("out_of_range", f"{rows} tracks, more than {TRACKS_MAX_ROWS}")
    shapes: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
        "track_ids": (tracks.track_ids, (rows,)),
        "class_ids": (tracks.class_ids, (rows,)),
        "centroids_px": (tracks.centroids_px, (rows, 2)),
        "boxes_xyxy_px": (tracks.boxes_xyxy_px, (rows, 4)),
        "scores": (tracks.scores, (rows,)),
    }
    for key, (column, shape) in shapes.items():
        if column.shape != shape:
            raise WireError("size_mismatch", f"{key} is {column.shape}, not {shape}")
        if not (np.abs(column) <= NUMBER_MAX).all():
            raise WireError("out_of_range", f"{key} has what is not finite, or too large for a float32")
    if len(tracks.states) != rows:
        raise WireError("size_mismatch", f"states is not {rows} rows")
    for state in tracks.states:
        if state not in TRACK_STATES:
            raise WireError("wrong_type", f"states has {str(state)[:20]!r}")
