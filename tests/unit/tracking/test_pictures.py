import numpy as np
import pytest

from zbus.errors import TrackingError
from zbus.testing._detector_contract import draw_animals
from zbus.tracking._pictures import find_blobs, to_mono


def test_a_mono_picture_is_not_copied():
    image = np.zeros((4, 5), np.uint8)
    assert to_mono(image) is image


def test_a_color_picture_becomes_gray():
    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 1] = 100
    assert to_mono(image).tolist() == [[59] * 5] * 4


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 5)), np.zeros((4, 5, 2), np.uint8), np.zeros((0, 5), np.uint8), np.zeros(9, np.uint8)],
)
def test_other_pictures_are_refused(image):
    with pytest.raises(TrackingError, match="picture"):
        to_mono(image)


def test_a_blob_is_measured_by_its_outline():
    mask = np.zeros((30, 40), np.uint8)
    mask[10:21, 5:16] = 255
    found = find_blobs(mask, 0, 1000)
    assert found.centroids_px.tolist() == [[10.0, 15.0]]
    assert found.boxes_xyxy_px.tolist() == [[5.0, 10.0, 15.0, 20.0]]
    assert found.areas_px.tolist() == [100.0]
    assert found.mask is mask


def test_limits_are_exclusive():
    mask = np.zeros((30, 40), np.uint8)
    mask[10:21, 5:16] = 255
    assert len(find_blobs(mask, 100, 1000)) == len(find_blobs(mask, 0, 100)) == 0
    assert len(find_blobs(mask, 99, 101)) == 1


def test_a_blob_inside_a_ring_is_found_and_a_hole_is_not():
    mask = np.zeros((60, 60), np.uint8)
    mask[5:55, 5:55] = 255
    mask[10:50, 10:50] = 0
    mask[25:36, 25:36] = 255
    assert find_blobs(mask, 50, 1000).centroids_px.tolist() == [[30.0, 30.0]]
    assert sorted(find_blobs(mask, 50, 1e5).areas_px.tolist()) == [100.0, 49.0**2]


def test_centroids_are_true_below_the_pixel():
    mask = draw_animals([(100.4, 80.7)], 0.5, floor=0, grays=255)
    error = find_blobs(mask, 10, 1000).centroids_px[0] - (100.4, 80.7)
    assert np.abs(error).max() < 0.5
