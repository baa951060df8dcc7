"""Tracks as columns: what trackers give and what travels on `tracks/` (spec 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._header import Header, check_value, read_int, read_list, read_text
from zbus.wire._limits import NUMBER_MAX, TRACKS_MAX_ROWS
from zbus.wire._topics import TRACKS

TENTATIVE, CONFIRMED, LOST = "tentative", "confirmed", "lost"
TRACK_STATES = (TENTATIVE, CONFIRMED, LOST)

_COLUMNS = ("track_ids", "class_ids", "states", "scores", "centroids_px", "boxes_xyxy_px")
_take_columns = cast(Callable[[Header], tuple[list[Any], ...]], itemgetter(*_COLUMNS))
_LIST, _FLOAT, _INTEGER = frozenset({list}), frozenset({float}), frozenset({int})
_TWO, _FOUR = frozenset({2}), frozenset({4})
_STATES = frozenset(TRACK_STATES)
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)


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
    # Why twice: whether all is well costs a third of finding out what is not.
    tracks = _read_at_once(header)
    if tracks is None:
        tracks = _read_each(header)
    return TracksMessage(
        camera=read_text(header, "camera", 64),
        frame_number=read_int(header, "frame_number"),
        captured_ns=read_int(header, "captured_ns"),
        mono_ns=read_int(header, "mono_ns"),
        tracks=tracks,
    )


def _read_at_once(header: Header) -> Tracks | None:
    """The columns, all numbers in one array; None for those that `_read_each` has to look at."""
    try:
        columns = _take_columns(header)
        track_ids, class_ids, states, scores, centroids, boxes = columns
        if not (
            _LIST.issuperset(map(type, columns))
            and len(track_ids) == len(class_ids) == len(states) == len(scores)
            and len(track_ids) == len(centroids) == len(boxes) <= TRACKS_MAX_ROWS
            and _TWO.issuperset(map(len, centroids))
            and _FOUR.issuperset(map(len, boxes))
            and _STATES.issuperset(states)
            and _INTEGER.issuperset(map(type, track_ids + class_ids))
        ):
            return None
        integers = np.array(track_ids + class_ids, np.int64)
    except (KeyError, TypeError, OverflowError):
        # Why no word of it: `_read_each` says what it is.
        return None
    numbers = scores.copy()
    for row in centroids:
        numbers += row
    for row in boxes:
        numbers += row
    # Why only floats: what is in a row that is no list of numbers is found here too. And no number is larger
    # than the length of a vector of all of them, which is not finite where one is not.
    if not (_FLOAT.issuperset(map(type, numbers)) and math.hypot(*numbers) <= NUMBER_MAX):
        return None
    return _tracks_of(integers, np.fromiter(numbers, np.float64, len(numbers)), tuple(states))


def _tracks_of(integers: NDArray[np.int64], numbers: NDArray[np.float64], states: tuple[str, ...]) -> Tracks:
    rows = len(states)
    return Tracks(
        track_ids=integers[:rows],
        centroids_px=numbers[rows : 3 * rows].reshape(rows, 2),
        boxes_xyxy_px=numbers[3 * rows :].reshape(rows, 4),
        scores=numbers[:rows],
        class_ids=integers[rows:],
        states=states,
    )


def _read_each(header: Header) -> Tracks:
    for key in _COLUMNS:
        check_value(header.get(key), 1)
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
    return tracks


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
    if _is_plain(tracks):
        return
    rows = len(tracks)
    if rows > TRACKS_MAX_ROWS:
        raise WireError("out_of_range", f"{rows} tracks, more than {TRACKS_MAX_ROWS}")
    _check_column("track_ids", tracks.track_ids, (rows,))
    _check_column("class_ids", tracks.class_ids, (rows,))
    _check_column("centroids_px", tracks.centroids_px, (rows, 2))
    _check_column("boxes_xyxy_px", tracks.boxes_xyxy_px, (rows, 4))
    _check_column("scores", tracks.scores, (rows,))
    if len(tracks.states) != rows:
        raise WireError("size_mismatch", f"states is not {rows} rows")
    for state in tracks.states:
        if state not in TRACK_STATES:
            raise WireError("wrong_type", f"states has {str(state)[:20]!r}")


def _is_plain(tracks: Tracks) -> bool:
    """True where one look says that all columns are in order, as they nearly always are."""
    ids, classes, scores = tracks.track_ids, tracks.class_ids, tracks.scores
    centroids, boxes = tracks.centroids_px, tracks.boxes_xyxy_px
    rows = len(ids)
    try:
        return (
            ids.dtype is _INT64
            and classes.dtype is _INT64
            and centroids.dtype is _FLOAT64
            and boxes.dtype is _FLOAT64
            and scores.dtype is _FLOAT64
            and ids.shape == classes.shape == scores.shape == (rows,)
            and centroids.shape == (rows, 2)
            and boxes.shape == (rows, 4)
            and rows == len(tracks.states) <= TRACKS_MAX_ROWS
            and _STATES.issuperset(tracks.states)
            # Why the sum of squares: what is not finite shows in it, and that of pixels is far below.
            and bool(np.vdot(centroids, centroids) <= NUMBER_MAX)
            and bool(np.vdot(boxes, boxes) <= NUMBER_MAX)
            and bool(np.vdot(scores, scores) <= NUMBER_MAX)
        )
    except TypeError:
        # Why: what cannot be hashed is no state.
        return False


def _check_column(key: str, column: NDArray[Any], shape: tuple[int, ...]) -> None:
    if column.shape != shape:
        raise WireError("size_mismatch", f"{key} is {column.shape}, not {shape}")
    if not (np.abs(column) <= NUMBER_MAX).all():
        raise WireError("out_of_range", f"{key} has what is not finite, or too large for a float32")
    # Why: an array of another type may hold what a message cannot.
    check_value(column.tolist(), 1)
