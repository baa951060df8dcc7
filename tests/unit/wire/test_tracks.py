"""Tracks: columns that agree and are finite, on both sides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import (
    TRACK_STATES,
    Origin,
    Topic,
    Tracks,
    TracksMessage,
    decode_message,
    decode_tracks,
    encode_message,
)

TOPIC, ORIGIN = Topic("tracks", "tracker1"), Origin("tracker1", "s1", 0, 0)
PLACES = st.floats(-1e6, 1e6, width=32)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def columns(rows=2, **changes):
    made = {
        "track_ids": np.arange(rows, dtype=np.int64),
        "centroids_px": np.zeros((rows, 2)),
        "boxes_xyxy_px": np.zeros((rows, 4)),
        "scores": np.ones(rows),
        "class_ids": np.zeros(rows, np.int64),
        "states": ("confirmed",) * rows,
    }
    return Tracks(**made | changes)


def message_of(tracks):
    return TracksMessage("cam1", 7, 2**62, 2**61, tracks)


def travel(tracks):
    return decode_tracks(decode_message(encode_message(TOPIC, ORIGIN, message_of(tracks))))


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Tracks.__slots__)


ROWS = st.lists(
    st.tuples(
        INTEGERS,
        st.tuples(PLACES, PLACES),
        st.tuples(*[PLACES] * 4),
        st.floats(0, 1, width=32),
        INTEGERS,
        st.sampled_from(TRACK_STATES),
    ),
    max_size=8,
)


@given(ROWS)
@settings(max_examples=100)
def test_tracks_come_back(rows):
    ids, centroids, boxes, scores, classes, states = zip(*rows, strict=True) if rows else [()] * 6
    tracks = Tracks(
        np.array(ids, np.int64),
        np.array(centroids, np.float64).reshape(-1, 2),
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(scores, np.float64),
        np.array(classes, np.int64),
        states,
    )
    received = travel(tracks)
    assert same(received.tracks, tracks)
    assert (received.camera, received.frame_number, received.captured_ns) == ("cam1", 7, 2**62)


def test_dtypes_do_not_depend_on_what_was_sent():
    tracks = travel(columns(0)).tracks
    assert len(tracks) == 0
    assert [getattr(tracks, name).dtype.name for name in Tracks.__slots__[:-1]] == [
        "int64",
        "float64",
        "float64",
        "float64",
        "int64",
    ]
    assert tracks.centroids_px.shape == (0, 2)


def test_2048_tracks_fit_a_message():
    rows = 2_048
    many = columns(rows, boxes_xyxy_px=np.full((rows, 4), 1234.567), track_ids=np.full(rows, 2**62))
    assert len(travel(many).tracks) == rows


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scores": np.ones(3)}, "size_mismatch"),
        ({"centroids_px": np.zeros((2, 3))}, "size_mismatch"),
        ({"boxes_xyxy_px": np.zeros((4, 2))}, "size_mismatch"),
        ({"class_ids": np.zeros(1, np.int64)}, "size_mismatch"),
        ({"track_ids": np.zeros((2, 1), np.int64)}, "size_mismatch"),
        ({"states": ("lost",)}, "size_mismatch"),
        ({"states": ("lost", "gone")}, "wrong_type"),
        ({"scores": np.array([1.0, np.nan])}, "out_of_range"),
        ({"centroids_px": np.array([[np.inf, 0], [0, 0]])}, "out_of_range"),
        ({"centroids_px": np.array([[1e300, 0], [0, 0]])}, "out_of_range"),
        ({"track_ids": np.array([1, 2**63], np.uint64)}, "out_of_range"),
        ({"states": (["lost"], "lost")}, "wrong_type"),
    ],
)
def test_columns_that_disagree_are_not_sent(changes, reason):
    with pytest.raises(WireError) as caught:
        message_of(columns(**changes)).header()
    assert caught.value.reason == reason


def test_numbers_may_be_as_large_as_a_float32_and_of_another_dtype():
    large = np.array([[3.3e38, -3.3e38], [0, 1]])
    assert np.allclose(travel(columns(centroids_px=large)).tracks.centroids_px, large)
    assert travel(columns(scores=np.array([0.5, 1.0], np.float32))).tracks.scores.tolist() == [0.5, 1.0]
    assert travel(columns(track_ids=np.array([3, 4], np.int32))).tracks.track_ids.tolist() == [3, 4]


def test_integers_are_read_as_numbers():
    message = decode_message(encode_message(TOPIC, ORIGIN, message_of(columns())))
    message = replace(message, header={**message.header, "centroids_px": [[1, 2.5], [3, 4]]})
    assert decode_tracks(message).tracks.centroids_px.tolist() == [[1, 2.5], [3, 4]]


DEEP = [1.0]
for _ in range(9):
    DEEP = [DEEP]


@pytest.mark.parametrize("key", Tracks.__slots__)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (DEEP, "header_too_deep"),
        ([np.nan, 1.0], "out_of_range"),
        ([2**64 - 1, 1], "out_of_range"),
        ([True, False], "wrong_type"),
        ([b"ab", b"ab"], "wrong_type"),
        ({"a": 1, "b": 2}, "wrong_type"),
        (None, "wrong_type"),
    ],
)
def test_every_column_is_held_to_the_rules_of_every_header(key, value, reason):
    message = decode_message(encode_message(TOPIC, ORIGIN, message_of(columns())))
    with pytest.raises(WireError) as caught:
        decode_tracks(replace(message, header={**message.header, key: value}))
    assert caught.value.reason in (reason, "size_mismatch" if reason == "wrong_type" else reason)


def test_more_tracks_than_allowed_are_not_sent():
    with pytest.raises(WireError, match="out_of_range"):
        message_of(columns(2_049)).header()


ANY = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats() | st.text(max_size=3), st.lists, max_leaves=12
)


@given(st.dictionaries(st.sampled_from(Tracks.__slots__), ANY, min_size=1))
@settings(max_examples=300)
def test_arbitrary_columns_raise_nothing_but_wire_errors(changes):
    message = decode_message(encode_message(TOPIC, ORIGIN, message_of(columns())))
    message = replace(message, header={**message.header, **changes})
    try:
        tracks = decode_tracks(message).tracks
    except WireError:
        return
    assert tracks.boxes_xyxy_px.shape == (len(tracks), 4)
