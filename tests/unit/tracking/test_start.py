import numpy as np

from zbus.testing._detector_contract import draw_animals
from zbus.tracking._pictures import find_blobs
from zbus.tracking._start import find_start


def found(places, angles=0.0):
    return find_blobs(draw_animals(places, angles, floor=0, grays=255), 5, 1e5)


def sorted_places(start):
    return sorted(np.round(start.centroids_px).tolist())


def test_as_many_blobs_as_animals_start_at_once():
    start = find_start(found([(60, 50), (200, 100)]), 2, patient=True)
    assert sorted_places(start) == [[60.0, 50.0], [200.0, 100.0]]


def test_debris_is_left_out_by_size():
    blobs = found([(60, 50), (200, 100)])
    debris = draw_animals([(20, 20), (90, 150), (250, 30)], body_px=(6, 5), floor=0, grays=255)
    start = find_start(find_blobs(blobs.mask | debris, 5, 1e5), 2, patient=True)
    assert sorted_places(start) == [[60.0, 50.0], [200.0, 100.0]]


def test_three_in_two_blobs_are_counted_by_area():
    blobs = found([(60, 50), (200, 100), (120, 150), (140, 150)])
    start = find_start(blobs, 4, patient=True)
    assert len(blobs) == 3
    assert np.abs(np.array(sorted_places(start)) - [(60, 50), (120, 150), (140, 150), (200, 100)]).max() < 3


def test_one_blob_for_two_is_waited_out_and_then_divided():
    blobs = found([(100, 100), (120, 100)])
    assert find_start(blobs, 2, patient=True) is None
    start = find_start(blobs, 2, patient=False)
    assert np.abs(np.array(sorted_places(start)) - [(100, 100), (120, 100)]).max() < 2


def test_nothing_found_is_never_a_start():
    assert find_start(found([]), 2, patient=False) is None


def test_boxes_alone_are_divided_too():
    blobs = found([(100, 100), (120, 100)])
    blind = type(blobs)(
        blobs.centroids_px, blobs.boxes_xyxy_px, blobs.areas_px, blobs.scores, blobs.class_ids, None
    )
    start = find_start(blind, 2, patient=False)
    assert start.centroids_px.shape == (2, 2)
    assert np.isfinite(start.centroids_px).all()
