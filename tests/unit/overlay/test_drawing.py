"""Drawing without a page: in the right place and color, and safe for whatever a stranger draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.overlay import draw_overlays, draw_tracks
from zbus.wire import OverlaySet, Tracks, parse_overlay

SHAPES = ((60, 80), (60, 80, 3), (60, 80, 4))


def draw(image, *forms):
    draw_overlays(image, OverlaySet("cam1", tuple(parse_overlay(form) for form in forms)))
    return image


def box(x1, y1, x2, y2, **keys):
    return {"DRAW_BOX": {"TOP_LEFT": [x1, y1], "BOTTOM_RIGHT": [x2, y2]}, **keys}


def tracks(states, centroids, boxes):
    rows = len(states)
    return Tracks(
        np.arange(rows, dtype=np.int64),
        np.array(centroids, np.float64).reshape(rows, 2),
        np.array(boxes, np.float64).reshape(rows, 4),
        np.ones(rows),
        np.zeros(rows, np.int64),
        tuple(states),
    )


def test_a_box_is_red_thin_and_where_it_was_said():
    image = draw(np.zeros((60, 80, 3), np.uint8), box(10, 20, 30, 40))
    assert image[20, 20].tolist() == [0, 0, 255]
    assert image[30, 20].tolist() == [0, 0, 0]
    ink = set(np.flatnonzero(image[30, :20, 2]).tolist())
    assert 10 in ink and ink <= {9, 10, 11}


def test_the_color_is_red_green_blue_in_every_image():
    assert draw(np.zeros((9, 9, 3), np.uint8), box(1, 1, 7, 7, color=[1, 2, 3]))[1, 4].tolist() == [3, 2, 1]
    assert draw(np.zeros((9, 9, 4), np.uint8), box(1, 1, 7, 7, color=[1, 2, 3]))[1, 4].tolist() == [
        3,
        2,
        1,
        255,
    ]
    assert draw(np.zeros((9, 9), np.uint8), box(1, 1, 7, 7, color=[255, 255, 255]))[1, 4] == 255


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "form",
    [
        {"DRAW_CIRCLE": {"CENTER": [40, 30], "RADIUS": 10}},
        {"DRAW_LINE": {"FROM": [0, 0], "TO": [79, 59]}},
        {"DRAW_POLYGON": {"POINTS": [[5, 5], [50, 10], [20, 50]]}},
        {"DRAW_TEXT": {"AT": [5, 40], "TEXT": "mouse"}},
        box(70, 50, 10, 10, label="upside down"),
    ],
)
def test_every_shape_leaves_ink(shape, form):
    assert draw(np.zeros(shape, np.uint8), form).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_huge_and_outside_shapes_are_clipped(shape):
    far = 1_000_000
    draw(
        np.zeros(shape, np.uint8),
        box(-far, -far, far, far, label="häh\n\x00"),
        {"DRAW_CIRCLE": {"CENTER": [far, -far], "RADIUS": far}},
        {"DRAW_LINE": {"FROM": [-far, -far], "TO": [far, far]}},
        {"DRAW_POLYGON": {"POINTS": [[-far, far], [far, -far]]}},
        {"DRAW_TEXT": {"AT": [far, far], "TEXT": "x" * 256}},
        {"CLEAR": {}},
    )


@pytest.mark.parametrize("shape", [(0, 80), (60, 0, 3), (0, 0, 4)])
def test_an_empty_image_is_left_alone(shape):
    draw(np.zeros(shape, np.uint8), box(0, 0, 5, 5, label="a"), {"DRAW_LINE": {"FROM": [0, 0], "TO": [1, 1]}})


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint16), np.zeros((9, 9, 2), np.uint8), np.zeros(9, np.uint8)]
)
def test_another_image_is_refused(image):
    with pytest.raises(ValueError, match="cannot draw"):
        draw(image)


def test_a_received_picture_is_not_written_to():
    image = np.zeros((9, 9), np.uint8)
    image.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        draw(image)


def test_tracks_are_drawn_with_their_ids_and_lost_ones_in_gray():
    image = np.zeros((60, 80, 3), np.uint8)
    draw_tracks(
        image, tracks(["confirmed", "lost"], [[20, 40], [60, 40]], [[10, 30, 30, 50], [50, 30, 70, 50]])
    )
    assert image[30, 20].tolist() == [75, 25, 230]
    assert image[30, 60].tolist() == [128, 128, 128]
    assert image[:28].any(), "the ids stand above the boxes"


def test_predictions_from_nowhere_do_not_break_the_picture():
    draw_tracks(
        np.zeros((60, 80), np.uint8),
        tracks(["lost"] * 2, [[np.nan, np.inf], [1e300, -1e300]], [[np.nan] * 4, [-np.inf, 0, 1e300, 5]]),
    )


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 4), min_size=1, max_size=5), st.text(max_size=20))
@settings(max_examples=40, deadline=None)
def test_anything_that_parses_can_be_drawn(corners, label):
    image = np.zeros((30, 40, 3), np.uint8)
    draw(image, *[box(*corner, label=label) for corner in corners])
