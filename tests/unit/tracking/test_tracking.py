import dataclasses

import numpy as np
import pytest

from zbus.tracking import (
    Associator,
    BackgroundDetector,
    BlobTracker,
    Detections,
    Detector,
    FixedCountTracker,
    Tracker,
)


def rows(count):
    return Detections(
        np.zeros((count, 2)),
        np.zeros((count, 4)),
        np.ones(count),
        np.ones(count),
        np.zeros(count, np.int64),
    )


@pytest.mark.parametrize("count", [0, 1, 7])
def test_there_are_as_many_detections_as_rows(count):
    assert len(rows(count)) == count


def test_a_detector_need_not_tell_mask_or_picture():
    assert rows(2).mask is None
    assert rows(2).mono is None


@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Detections)])
def test_what_was_found_is_not_replaced_later(name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(rows(1), name, None)


@pytest.mark.parametrize(
    ("made", "roles"),
    [
        (BackgroundDetector, {Detector}),
        (BlobTracker, {Tracker, Associator}),
        (FixedCountTracker, {Associator}),
    ],
)
def test_who_plays_which_role_is_told_by_its_methods(made, roles):
    thing = made()
    assert {role for role in (Detector, Tracker, Associator) if isinstance(thing, role)} == roles
