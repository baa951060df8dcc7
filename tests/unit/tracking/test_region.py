import numpy as np
import pytest

from zbus.tracking._region import Region, check_region


def test_without_an_arena_nothing_is_touched():
    mask = np.full((20, 30), 255, np.uint8)
    assert Region().keep(mask) is mask
    assert mask.all()


def test_a_circle_keeps_its_inside():
    mask = Region(circle_px=(15, 10, 5)).keep(np.full((20, 30), 255, np.uint8))
    assert mask[10, 15] and mask[10, 20] and mask[5, 15]
    assert not mask[10, 21] and not mask[4, 15]


def test_a_polygon_and_a_circle_keep_what_both_hold():
    region = Region([(0, 0), (15, 0), (15, 19), (0, 19)], (15, 10, 5))
    mask = region.keep(np.full((20, 30), 255, np.uint8))
    assert mask[10, 12]
    assert not mask[10, 18]


@pytest.mark.parametrize(
    ("region_px", "circle_px", "field"),
    [
        ([(0, 0), (1, 1)], (), "region_px"),
        ([(0, 0), (1, 1), (2,)], (), "region_px"),
        ([(0, 0), (1, 1), (2, float("nan"))], (), "region_px"),
        ((), (1, 2), "circle_px"),
        ((), (1, 2, 0), "circle_px"),
        ((), (1, 2, float("inf")), "circle_px"),
    ],
)
def test_an_arena_that_cannot_be_drawn_is_refused(region_px, circle_px, field):
    with pytest.raises(ValueError, match=f"^{field} "):
        check_region(region_px, circle_px)
