import cv2
import numpy as np
import pytest

from zbus.testing._detector_contract import draw_animals
from zbus.tracking import AdaptiveDetector, AdaptiveSettings

from .films import add_noise

PLACES = [(60.0, 50.0), (150.0, 120.0), (240.0, 60.0)]
ANGLES = [0.0, 0.7, 1.5]


def nearest_errors(found, places=PLACES):
    return np.linalg.norm(found.centroids_px[:, None] - np.array(places)[None], axis=-1).min(axis=0)


def test_dark_animals_are_found_where_they_are():
    found = AdaptiveDetector().detect(add_noise(draw_animals(PLACES, ANGLES), 4, 1))
    assert len(found) == 3
    assert (nearest_errors(found) < 0.6).all()


def test_light_animals_need_invert_false():
    image = draw_animals(PLACES, ANGLES, floor=40, grays=200)
    assert len(AdaptiveDetector().detect(image)) == 0
    found = AdaptiveDetector(AdaptiveSettings(invert=False, offset=-15)).detect(image)
    assert len(found) == 3
    assert (nearest_errors(found) < 0.6).all()


def test_the_floor_may_be_lit_unevenly():
    floor = np.tile(np.linspace(90, 230, 300).astype(np.uint8), (200, 1))
    found = AdaptiveDetector().detect(draw_animals(PLACES, ANGLES, floor=floor, grays=30))
    assert len(found) == 3


def test_mono_gives_what_the_steps_of_the_method_give():
    image = add_noise(draw_animals(PLACES, ANGLES), 6, 2)
    found = AdaptiveDetector(AdaptiveSettings(block_size=40, offset=9)).detect(image)
    blurred = cv2.blur(image, (5, 5))
    mean, inverted = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV
    assert np.array_equal(found.mask, cv2.adaptiveThreshold(blurred, 255, mean, inverted, 41, 9))


def test_what_is_outside_the_arena_is_left_out():
    image = draw_animals(PLACES, ANGLES)
    assert len(AdaptiveDetector(AdaptiveSettings(circle_px=(60, 50, 40))).detect(image)) == 1
    polygon = ((0, 0), (200, 0), (200, 199), (0, 199))
    assert len(AdaptiveDetector(AdaptiveSettings(region_px=polygon)).detect(image)) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("block_size", 1),
        ("offset", 300),
        ("min_area", -1),
        ("max_area", 50),
        ("circle_px", (1.0,)),
        ("offset", float("nan")),
    ],
)
def test_a_wrong_setting_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"^{field} "):
        AdaptiveSettings(**{field: value})
