import numpy as np

from zbus.testing._detector_contract import draw_animals
from zbus.tracking._bodies import Bodies
from zbus.tracking._pictures import find_blobs


def test_size_shape_and_angle_are_learned():
    image = draw_animals([(60.0, 50.0)], 0.5, floor=0, grays=255)
    found = find_blobs(image, 10, 1000)
    bodies = Bodies(np.array([100.0, 100.0]))
    for _ in range(100):
        bodies.learn(0, float(found.areas_px[0]), found.mask, found.boxes_xyxy_px[0])
    assert abs(bodies.areas_px[0] - found.areas_px[0]) < 2
    assert bodies.areas_px[1] == 100
    shape = bodies.shapes(np.array([0]))
    assert abs(shape.along_vars[0] - 36) < 5
    assert abs(shape.across_vars[0] - 6.25) < 2
    assert abs(shape.angles_rad[0] - 0.5) < 0.05


def test_a_neighbor_in_the_box_is_not_learned():
    image = draw_animals([(60.0, 50.0), (50.0, 66.0)], [0.7, 0.7], floor=0, grays=255)
    found = find_blobs(image, 10, 1000)
    bodies = Bodies(found.areas_px)
    box = np.array([40.0, 40, 80, 80])
    bodies.learn(0, float(found.areas_px[0]), found.mask, box)
    assert bodies.angles_rad[0] == 0


def test_gray_levels_are_unknown_until_learned():
    bodies = Bodies(np.array([100.0, 100.0]))
    assert np.isnan(bodies.grays).all()
    bodies.learn_gray(1, 60.0)
    bodies.learn_gray(1, 80.0)
    assert 60 < bodies.grays[1] < 62
    assert np.isnan(bodies.grays[0])


def test_the_body_length_follows_from_the_area():
    assert abs(Bodies(np.array([np.pi * 25 * 10 / 4])).length_px - 25) < 0.5
