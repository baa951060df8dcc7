"""What every tracker must keep to, ours and a stranger's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zbus.tracking import Tracker
from zbus.wire import Tracks

MakeTracker = Callable[[], Tracker]

STATES = {"tentative", "confirmed", "lost"}
FRAME_NS = 33_000_000


def check_tracker(
    make_tracker: MakeTracker,
    images: Sequence[NDArray[np.uint8]],
    *,
    truth_px: NDArray[np.float64] | None = None,
    radius_px: float = 5.0,
) -> None:
    """Assert all that a tracker owes to its caller.

    `make_tracker` returns a new tracker; `images` are successive mono pictures. `truth_px`, where given, is
    (frames, n, 2): where the n animals are; once there are tracks, each animal must keep one within
    `radius_px` of it, the same to the end.
    """
    check_tracker_members(make_tracker)
    runs = [run_tracker(make_tracker(), images) for _ in range(2)]
    check_same(runs[0], runs[1], "two new trackers differ on the same pictures")
    check_tracker_reset(make_tracker, images, runs[0])
    check_nothing_shared(runs[0])
    check_times(make_tracker, images)
    if truth_px is not None:
        check_identities(runs[0], truth_px, radius_px)


def check_tracker_members(make_tracker: MakeTracker) -> None:
    """A tracker has the members of the protocol, and settings that are a frozen dataclass."""
    tracker = make_tracker()
    assert isinstance(tracker, Tracker)
    settings = type(tracker).Settings
    assert dataclasses.is_dataclass(settings), "Settings must be a dataclass"
    assert settings.__dataclass_params__.frozen, "Settings must be frozen"  # pyright: ignore


def run_tracker(tracker: Tracker, images: Sequence[NDArray[np.uint8]]) -> list[Tracks]:
    """The tracks of every picture, each checked; the pictures are handed over in read-only memory."""
    answers: list[Tracks] = []
    for number, image in enumerate(images):
        locked = image.copy()
        locked.flags.writeable = False
        tracks = tracker.update(locked, number * FRAME_NS)
        check_tracks(tracks)
        assert (locked == image).all(), "the picture was written to"
        answers.append(tracks)
    return answers


def check_tracks(tracks: Tracks) -> None:
    """The columns have one length, their types and finite numbers; no id comes twice."""
    rows = len(tracks)
    for name, shape in (("centroids_px", (rows, 2)), ("boxes_xyxy_px", (rows, 4)), ("scores", (rows,))):
        column = getattr(tracks, name)
        assert column.dtype == np.float64, f"{name} is {column.dtype}, not float64"
        assert column.shape == shape, f"{name} is {column.shape}, not {shape}"
        assert np.isfinite(column).all(), f"{name} is not finite"
    for ids in (tracks.track_ids, tracks.class_ids):
        assert ids.dtype == np.int64
        assert ids.shape == (rows,)
    assert len(set(tracks.track_ids.tolist())) == rows, "a track_id comes twice in one picture"
    assert ((tracks.scores >= 0) & (tracks.scores <= 1)).all(), "scores must lie in 0..1"
    assert len(tracks.states) == rows
    assert set(tracks.states) <= STATES


def check_same(some: Sequence[Tracks], others: Sequence[Tracks], complaint: str) -> None:
    """Two runs are equal, number by number."""
    for one, other in zip(some, others, strict=True):
        for name in ("track_ids", "centroids_px", "boxes_xyxy_px", "scores", "class_ids"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), f"{complaint}: {name}"
        assert one.states == other.states, f"{complaint}: states"


def check_tracker_reset(
    make_tracker: MakeTracker, images: Sequence[NDArray[np.uint8]], expected: Sequence[Tracks]
) -> None:
    """After a reset a tracker is as new."""
    tracker = make_tracker()
    run_tracker(tracker, images)
    tracker.reset()
    check_same(run_tracker(tracker, images), expected, "a reset tracker differs from a new one")


def check_nothing_shared(run: Sequence[Tracks]) -> None:
    """The tracks of one picture are not changed by the next."""
    for earlier, later in pairwise(run):
        assert not np.shares_memory(earlier.centroids_px, later.centroids_px)
        assert not np.shares_memory(earlier.boxes_xyxy_px, later.boxes_xyxy_px)


def check_times(make_tracker: MakeTracker, images: Sequence[NDArray[np.uint8]]) -> None:
    """No time, a time that stands still and one that runs back are all borne."""
    times: tuple[Any, ...] = (None, 0, 0, FRAME_NS, FRAME_NS // 2, 100 * FRAME_NS, None)
    tracker = make_tracker()
    for image, t_ns in zip(images, times, strict=False):
        check_tracks(tracker.update(image, t_ns))


def check_identities(run: Sequence[Tracks], truth_px: NDArray[np.float64], radius_px: float) -> None:
    """Each animal keeps one track close to it, from the first picture with tracks to the last."""
    owners: dict[int, int] = {}
    for number, (tracks, places) in enumerate(zip(run, truth_px, strict=True)):
        for animal, place in enumerate(places if len(tracks) else ()):
            distances = np.linalg.norm(tracks.centroids_px - place, axis=1)
            track_id = owners.setdefault(animal, int(tracks.track_ids[np.argmin(distances)]))
            own = distances[tracks.track_ids == track_id]
            assert len(own), f"picture {number}: track {track_id} has ended"
            assert own[0] <= radius_px, (
                f"picture {number}: track {track_id} is {own[0]:.1f} px off its animal"
            )
    assert len(owners) == truth_px.shape[1], "not every animal was found"
    assert len(set(owners.values())) == len(owners), "two animals share a track"
