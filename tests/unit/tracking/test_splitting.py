import numpy as np
import pytest

from zbus.testing._detector_contract import draw_animals
from zbus.tracking._pictures import find_blobs
from zbus.tracking._splitting import MOST_PIXELS, Shapes, blob_pixels, split_blob

BODY_PX = (24.0, 10.0)
AREA_PX = np.pi * 24 * 10 / 4


def shapes(angles, grays=np.nan):
    n = len(angles)
    return Shapes(
        np.full(n, 36.0),
        np.full(n, 6.25),
        np.array(angles, float),
        np.full(n, AREA_PX),
        np.broadcast_to(grays, n),
    )


def merged(places, angles, grays=50):
    image = draw_animals(places, angles, grays=grays, floor=255)
    found = find_blobs((image < 200).astype(np.uint8) * 255, 10, 1e5)
    assert len(found) == 1
    pixels = blob_pixels(found.mask, found.boxes_xyxy_px[0])
    return pixels, image[pixels[:, 1], pixels[:, 0]].astype(float), float(found.areas_px[0])


def errors(split, places):
    return np.linalg.norm(split.centroids_px - np.array(places), axis=1)


def test_two_that_touch_are_told_apart():
    places = [(100.0, 80.0), (106.0, 89.0)]
    pixels, _, area = merged(places, [0.0, 0.3])
    split = split_blob(
        pixels.astype(float), area, np.array([(97.0, 78.0), (109.0, 92.0)]), shapes([0.0, 0.0])
    )
    assert (errors(split, places) < 1.0).all()
    assert split.overlap < 0.2


def test_bodies_of_known_size_may_lie_on_top_of_each_other():
    places = [(100.0, 80.0), (100.0, 80.0)]
    pixels, _, area = merged(places, [0.0, np.pi / 2])
    split = split_blob(
        pixels.astype(float), area, np.array([(98.0, 80.0), (100.0, 82.0)]), shapes([0.2, 1.4])
    )
    assert (errors(split, places) < 1.5).all()
    assert split.overlap > 0.15
    turned = np.cos(2 * (split.angles_rad - np.array([0.0, np.pi / 2])))
    assert (turned > 0.95).all()


def test_gray_levels_decide_where_the_predictions_are_wrong():
    places = [(100.0, 80.0), (100.0, 90.0)]
    pixels, grays, area = merged(places, [0.0, 0.0], grays=(40, 90))
    swapped = np.array([(100.0, 87.0), (100.0, 83.0)])
    blind = split_blob(pixels.astype(float), area, swapped, shapes([0.0, 0.0], (40.0, 90.0)))
    seeing = split_blob(pixels.astype(float), area, swapped, shapes([0.0, 0.0], (40.0, 90.0)), grays)
    assert (errors(seeing, places) < 1.5).all()
    assert (errors(blind, places) > 5).all()


def test_two_mistaken_for_each_other_are_exchanged():
    places = [(100.0, 80.0), (121.0, 80.0)]
    pixels, grays, area = merged(places, [0.0, 0.0], grays=(40, 90))
    mistaken, known = np.array(places[::-1]), shapes([0.0, 0.0], (40.0, 90.0))
    split = split_blob(pixels.astype(float), area, mistaken, known, grays)
    assert split.order.tolist() == [1, 0]
    assert (errors(split, places) < 1.5).all()
    assert split_blob(pixels.astype(float), area, mistaken, known).order.tolist() == [0, 1]


def test_predictions_outside_the_blob_are_brought_back():
    places = [(100.0, 80.0), (118.0, 80.0)]
    pixels, _, area = merged(places, [0.0, 0.0])
    split = split_blob(
        pixels.astype(float), area, np.array([(20.0, 80.0), (200.0, 80.0)]), shapes([0.0, 0.0])
    )
    assert (errors(split, places) < 1.5).all()


@pytest.mark.parametrize("animals", [2, 3, 5])
def test_everything_is_finite_even_from_one_seed_for_all(animals):
    pixels, grays, area = merged([(100.0, 80.0)], [0.0])
    split = split_blob(
        pixels.astype(float), area, np.full((animals, 2), 100.0), shapes([0.0] * animals, 50.0), grays
    )
    assert np.isfinite(split.centroids_px).all()
    assert np.isfinite(split.boxes_xyxy_px).all()
    assert 0 <= split.overlap <= 1


def test_pixels_are_those_of_the_largest_blob_and_bounded():
    mask = np.zeros((200, 200), np.uint8)
    mask[50:150, 50:150] = 255
    mask[52:60, 160:165] = 255
    pixels = blob_pixels(mask, np.array([50.0, 50, 170, 149]))
    assert 0.5 * MOST_PIXELS < len(pixels) <= MOST_PIXELS
    assert pixels.max() < 150
    assert np.abs(pixels.mean(axis=0) - 99.5).max() < 2


def test_a_box_without_foreground_has_no_pixels():
    assert blob_pixels(np.zeros((50, 50), np.uint8), np.array([5.0, 5, 20, 20])).shape == (0, 2)
