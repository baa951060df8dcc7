import cv2
import numpy as np
import pytest

from zbus.errors import TrackingError
from zbus.testing._detector_contract import draw_animals
from zbus.tracking import BackgroundDetector, BackgroundSettings, median_picture

from .films import film, straight

STRIPES = np.tile(np.where(np.arange(320) // 20 % 2, 120, 200).astype(np.uint8), (240, 1))
TRUTH = straight([(40, 60), (280, 180)], [(4, 1), (-4, -1)], 60)


def learned(settings=None, floor=STRIPES):
    detector = BackgroundDetector(settings)
    detector.learn([floor])
    return detector


def test_animals_are_found_on_a_patterned_floor():
    detector = learned()
    for image, places in zip(film(TRUTH, floor=STRIPES, noise=4), TRUTH, strict=True):
        found = detector.detect(image)
        assert len(found) == 2
        assert np.linalg.norm(found.centroids_px[:, None] - places, axis=-1).min(axis=0).max() < 1


def test_the_median_of_samples_is_the_empty_floor():
    images = film(TRUTH, floor=STRIPES)
    assert np.abs(median_picture(images[::4]).astype(int) - STRIPES).max() == 0


def test_it_learns_live_from_a_bounded_number_of_pictures():
    detector = BackgroundDetector(BackgroundSettings(learn_samples=9, learn_every=4))
    counts = [len(detector.detect(image)) for image in film(TRUTH, floor=STRIPES)]
    assert counts[:32] == [0] * 32
    assert counts[32:] == [2] * 28


def test_polarity_says_who_is_an_animal():
    image = draw_animals([(60, 60), (200, 100)], grays=(20, 250), floor=np.full((240, 320), 120, np.uint8))
    floor = np.full((240, 320), 120, np.uint8)
    counts = {
        polarity: len(learned(BackgroundSettings(polarity=polarity), floor).detect(image))
        for polarity in ("dark", "light", "auto")
    }
    assert counts == {"dark": 1, "light": 1, "auto": 2}


@pytest.mark.parametrize("polarity", ["dark", "auto"])
def test_a_flicker_of_the_whole_picture_is_taken_out(polarity):
    detector = learned(BackgroundSettings(threshold=20, polarity=polarity))
    for change in (-30, 0, 30):
        image = cv2.convertScaleAbs(film(TRUTH[:1], floor=STRIPES)[0], alpha=1, beta=change)
        assert len(detector.detect(image)) == 2


def test_slow_local_light_is_learned_but_a_resting_animal_is_not():
    detector = learned(BackgroundSettings(threshold=25, adapt_rate=0.02))
    ramp = np.linspace(0, 1, 320)[None, :]
    for number in range(300):
        lit = (STRIPES * (1 - 0.35 * ramp * number / 300)).astype(np.uint8)
        found = detector.detect(draw_animals([(60, 60)], floor=lit))
    assert len(found) == 1
    assert np.abs(found.centroids_px[0] - (60, 60)).max() < 1


def test_opening_wipes_out_a_tail():
    image = draw_animals([(100, 100)], floor=STRIPES)
    cv2.line(image, (110, 100), (160, 100), (40,), 2)
    plain, opened = (learned(BackgroundSettings(open_px=px)).detect(image) for px in (0, 6))
    assert plain.centroids_px[0, 0] > 103
    assert abs(opened.centroids_px[0, 0] - 100) < 2


def test_the_background_may_come_from_a_file(tmp_path):
    path = tmp_path / "floor.png"
    cv2.imwrite(str(path), STRIPES)
    detector = BackgroundDetector(BackgroundSettings(background_path=str(path)))
    assert len(detector.detect(film(TRUTH[:1], floor=STRIPES)[0])) == 2
    detector.reset()
    assert len(detector.detect(film(TRUTH[:1], floor=STRIPES)[0])) == 2


def test_a_background_that_cannot_be_had_is_named(tmp_path):
    missing = BackgroundDetector(BackgroundSettings(background_path=str(tmp_path / "no.png")))
    with pytest.raises(TrackingError, match=r"no\.png"):
        missing.detect(STRIPES)
    with pytest.raises(TrackingError, match="one size"):
        median_picture([STRIPES, STRIPES[:100]])
    with pytest.raises(TrackingError, match="one size"):
        median_picture([])


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(TrackingError, match="background"):
        learned().detect(np.zeros((100, 100), np.uint8))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0),
        ("polarity", "red"),
        ("min_area", -1),
        ("max_area", 0),
        ("blur_px", 0),
        ("open_px", -1),
        ("learn_samples", 2),
        ("learn_every", 0),
        ("adapt_rate", 1.5),
        ("region_px", ((0.0, 0.0),)),
    ],
)
def test_a_wrong_setting_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"^{field} "):
        BackgroundSettings(**{field: value})
