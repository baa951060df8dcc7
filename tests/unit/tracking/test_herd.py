import numpy as np
import pytest

from zbus.testing._detector_contract import draw_animals
from zbus.testing._tracker_contract import check_tracks
from zbus.tracking import Detections
from zbus.tracking._herd import (
    CONFIRM_FRAMES,
    RESCUE_FRAMES,
    SCORE_COAST,
    SCORE_COAST_KEEP,
    SCORE_CONTACT,
    SCORE_LEAST,
    Herd,
)
from zbus.tracking._pictures import find_blobs
from zbus.tracking._start import Start

AREA_PX = 188.0
SIZE_PX = (240, 320)


def herd(places, max_step_px=0.0):
    return Herd(Start(np.array(places, float), np.full(len(places), AREA_PX)), max_step_px)


def rows(places, half_px=(10, 5)):
    """One detection of an animal's size at each place, without mask or picture."""
    n = len(places)
    middles = np.array(places, float).reshape(n, 2)
    boxes = np.hstack([middles - half_px, middles + half_px])
    return Detections(middles, boxes, np.full(n, AREA_PX), np.ones(n), np.zeros(n, np.int64))


def seen(places, **drawing):
    image = draw_animals(places, size_px=SIZE_PX, **drawing)
    return find_blobs((image < 130).astype(np.uint8) * 255, 15, 1e5, image)


def test_rows_come_in_the_order_of_the_start_whatever_that_of_the_detections():
    animals = herd([(40, 50), (200, 100), (100, 180)])
    tracks = animals.step(rows([(100, 180), (40, 50), (200, 100)]), 1.0)
    check_tracks(tracks)
    assert tracks.track_ids.tolist() == [1, 2, 3]
    assert tracks.centroids_px.round(6).tolist() == [[40, 50], [200, 100], [100, 180]]
    assert tracks.boxes_xyxy_px.round(6).tolist() == [
        [30, 45, 50, 55],
        [190, 95, 210, 105],
        [90, 175, 110, 185],
    ]
    assert tracks.class_ids.tolist() == [0, 0, 0]


def test_an_animal_is_confirmed_after_so_many_pictures_alone():
    animals = herd([(40, 50)])
    states = [animals.step(rows([(40, 50)]), 1.0).states[0] for _ in range(CONFIRM_FRAMES + 1)]
    assert states == ["tentative"] * (CONFIRM_FRAMES - 1) + ["confirmed"] * 2


def test_a_picture_missed_starts_the_count_of_those_alone_again():
    animals = herd([(40, 50)])
    for _ in range(CONFIRM_FRAMES - 1):
        animals.step(rows([(40, 50)]), 1.0)
    assert animals.step(rows([]), 1.0).states == ("lost",)
    states = [animals.step(rows([(40, 50)]), 1.0).states[0] for _ in range(CONFIRM_FRAMES)]
    assert states == ["tentative"] * (CONFIRM_FRAMES - 1) + ["confirmed"]


def test_the_score_of_a_lost_animal_falls_to_a_floor_and_its_place_stays_finite():
    animals = herd([(40, 50)])
    animals.step(rows([(40, 50)]), 1.0)
    run = [animals.step(rows([]), 1.0) for _ in range(200)]
    scores = [float(tracks.scores[0]) for tracks in run]
    assert scores[0] == pytest.approx(SCORE_COAST * SCORE_COAST_KEEP)
    assert scores[1] == pytest.approx(SCORE_COAST * SCORE_COAST_KEEP**2)
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == SCORE_LEAST
    assert all(np.isfinite(tracks.centroids_px).all() for tracks in run)


def test_a_lost_animal_coasts_the_way_it_went_and_slows_down():
    animals = herd([(40, 100)])
    for number in range(30):
        animals.step(rows([(40 + 4 * number, 100)]), 1.0)
    xs = [40 + 4 * 29] + [float(animals.step(rows([]), 1.0).centroids_px[0, 0]) for _ in range(10)]
    steps = np.diff(xs)
    assert 2.5 < steps[0] <= 4.2
    assert (np.diff(steps) < 0).all()
    assert (steps > 0).all()


def test_nobody_coasts_out_of_the_picture():
    animals = herd([(280, 120)])
    for number in range(8):
        animals.step(seen([(270 + 5 * number, 120)]), 1.0)
    for _ in range(40):
        tracks = animals.step(seen([]), 1.0)
        assert 0 <= tracks.centroids_px[0, 0] <= SIZE_PX[1] - 1
    assert tracks.states == ("lost",)


def test_two_that_touch_are_both_seen_at_the_score_of_a_contact():
    animals = herd([(100, 60), (100, 120)])
    for offset in range(30, 6, -2):
        animals.step(seen([(100, 90 - offset), (100, 90 + offset)]), 1.0)
    tracks = animals.step(seen([(100, 86), (100, 94)]), 1.0)
    check_tracks(tracks)
    assert tracks.scores.tolist() == [SCORE_CONTACT, SCORE_CONTACT]
    assert tracks.states == ("confirmed", "confirmed")
    assert np.abs(tracks.centroids_px - [(100, 86), (100, 94)]).max() < 3


def test_a_given_step_bounds_how_far_an_animal_may_be_found():
    near, far = rows([(59, 50)]), rows([(61, 50)])
    assert herd([(40, 50)], max_step_px=20.0).step(near, 1.0).states == ("tentative",)
    assert herd([(40, 50)], max_step_px=20.0).step(far, 1.0).states == ("lost",)


def test_a_given_step_counts_each_frame_that_passed():
    assert herd([(40, 50)], max_step_px=20.0).step(rows([(90, 50)]), 2.0).states == ("lost",)
    assert herd([(40, 50)], max_step_px=20.0).step(rows([(90, 50)]), 3.0).states == ("tentative",)


def test_a_given_step_grows_while_an_animal_is_lost():
    animals = herd([(40, 50)], max_step_px=20.0)
    for _ in range(5):
        assert animals.step(rows([(150, 50)]), 1.0).states == ("lost",)
    tracks = animals.step(rows([(150, 50)]), 1.0)
    assert tracks.states == ("tentative",)
    assert tracks.centroids_px.round().tolist() == [[150, 50]]


def test_an_animal_on_debris_is_put_where_one_lies_unclaimed_after_some_pictures():
    # A small thing appears where the animal was and the animal itself far away, beyond every gate.
    found = rows([(40, 50), (250, 180)])
    found.areas_px[0] = 0.3 * AREA_PX
    animals = herd([(40, 50)])
    for _ in range(10):
        animals.step(rows([(40, 50)]), 1.0)
    xs = [float(animals.step(found, 1.0).centroids_px[0, 0]) for _ in range(RESCUE_FRAMES + 1)]
    assert np.abs(np.array(xs[: RESCUE_FRAMES - 1]) - 40).max() < 5
    assert xs[RESCUE_FRAMES:] == pytest.approx([250], abs=1)


def test_tracks_given_out_stay_as_they_were():
    animals = herd([(40, 50)])
    first = animals.step(rows([(40, 50)]), 1.0)
    places, boxes = first.centroids_px.copy(), first.boxes_xyxy_px.copy()
    for number in range(5):
        animals.step(rows([(44 + 4 * number, 50)]), 1.0)
    assert (first.centroids_px == places).all()
    assert (first.boxes_xyxy_px == boxes).all()


def test_who_writes_into_tracks_given_out_moves_nobody():
    animals = herd([(40, 50)])
    first = animals.step(rows([(40, 50)]), 1.0)
    first.centroids_px[:] = 200
    first.boxes_xyxy_px[:] = 200
    tracks = animals.step(rows([]), 1.0)
    assert tracks.centroids_px.round().tolist() == [[40, 50]]
    assert tracks.boxes_xyxy_px.round().tolist() == [[30, 45, 50, 55]]


def test_detections_are_only_read():
    found = seen([(100, 60), (100, 68), (200, 200)])
    before = [
        np.copy(value) for value in (found.centroids_px, found.boxes_xyxy_px, found.areas_px, found.mask)
    ]
    animals = herd([(100, 60), (100, 68), (200, 200)])
    for _ in range(5):
        animals.step(found, 1.0)
    after = (found.centroids_px, found.boxes_xyxy_px, found.areas_px, found.mask)
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
