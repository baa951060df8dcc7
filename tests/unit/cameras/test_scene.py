import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.cameras._scene import BODY_LEVEL, GROUND_LEVEL, Look, Scene

LOOK = Look(
    width=200,
    height=150,
    body_length_px=30.0,
    body_width_px=12.0,
    noise=0.0,
    light="even",
    light_drift_s=0.0,
    polarity="dark",
    seed=1,
)
PLAIN = Scene(LOOK)
BRIGHT = Scene(replace(LOOK, polarity="bright"))


def draw(scene: Scene, *animals: tuple[float, float, float], frame_number: int = 0, elapsed_s: float = 0.0):
    rows = np.array(animals, float).reshape(-1, 3)
    return scene.draw(rows[:, :2], rows[:, 2], frame_number, elapsed_s)


def cover(picture: np.ndarray, polarity: str) -> np.ndarray:
    """How much of each pixel the bodies cover, by the picture alone."""
    ground, body = GROUND_LEVEL[polarity], BODY_LEVEL[polarity]
    return (picture.astype(float) - ground) / (body - ground)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(25, 175), st.floats(25, 125), st.floats(-math.pi, math.pi), st.sampled_from(["dark", "bright"])
)
def test_the_truth_is_the_centroid_of_what_is_drawn(
    x: float, y: float, heading: float, polarity: str
) -> None:
    covered = cover(draw(PLAIN if polarity == "dark" else BRIGHT, (x, y, heading)), polarity)
    rows, columns = np.indices(covered.shape)
    total = covered.sum()
    assert (covered * columns).sum() / total == pytest.approx(x, abs=0.05)
    assert (covered * rows).sum() / total == pytest.approx(y, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(st.floats(25, 175), st.floats(25, 125), st.floats(-math.pi, math.pi))
def test_the_heading_is_the_long_axis_and_the_head_is_the_thin_end(
    x: float, y: float, heading: float
) -> None:
    covered = cover(draw(PLAIN, (x, y, heading)), "dark")
    rows, columns = np.indices(covered.shape)
    along = (columns - x) * math.cos(heading) + (rows - y) * math.sin(heading)
    across = (rows - y) * math.cos(heading) - (columns - x) * math.sin(heading)
    assert (covered * along**2).sum() > 3 * (covered * across**2).sum()
    assert (covered * along**3).sum() > 0, "the tapered end reaches further"


@pytest.mark.parametrize(("length_px", "width_px"), [(18.0, 6.0), (30.0, 12.0), (60.0, 25.0)])
def test_a_body_has_the_size_asked_for(length_px: float, width_px: float) -> None:
    scene = Scene(replace(LOOK, body_length_px=length_px, body_width_px=width_px))
    area_px = cover(draw(scene, (100.3, 75.6, 0.4)), "dark").sum()
    assert area_px == pytest.approx(math.pi / 4 * length_px * width_px, rel=0.03)


def test_a_body_at_the_rim_is_cut_off() -> None:
    picture = draw(PLAIN, (1.0, 1.0, 0.7))
    assert picture.shape == (150, 200)
    assert picture[0, 0] == BODY_LEVEL["dark"]


def test_noise_has_the_spread_asked_for_and_differs_from_frame_to_frame() -> None:
    scene = Scene(replace(LOOK, noise=4.0))
    one, again, other = draw(scene), draw(scene), draw(scene, frame_number=1)
    assert one.std() == pytest.approx(4.0, rel=0.05)
    assert one.mean() == pytest.approx(GROUND_LEVEL["dark"], abs=0.2)
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


def test_uneven_light_varies_slowly_over_the_picture() -> None:
    picture = draw(Scene(replace(LOOK, light="uneven"))).astype(float)
    assert picture.max() - picture.min() > 30
    assert np.abs(np.diff(picture, axis=1)).max() <= 2


def test_the_light_drifts_and_comes_back() -> None:
    scene = Scene(replace(LOOK, light_drift_s=60.0))
    start, middle, end = (draw(scene, elapsed_s=seconds).mean() for seconds in (0.0, 30.0, 60.0))
    assert start == end == GROUND_LEVEL["dark"]
    assert middle == pytest.approx(0.85 * start, abs=1)


def test_sensitivity_brightens_picture_and_noise() -> None:
    scene = Scene(replace(LOOK, noise=2.0, polarity="bright"))
    scene.set_sensitivity(brightness=2.0, noise_gain=2.0)
    picture = draw(scene)
    assert picture.mean() == pytest.approx(90.0, abs=0.5)
    assert picture.std() == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize(
    ("second", "touches"),
    [
        ((100.0, 75.0, 0.0), True),
        ((128.0, 75.0, 0.0), True),
        ((140.0, 75.0, 0.0), False),
        ((100.0, 95.0, 0.0), False),
    ],
)
def test_contact_is_what_a_threshold_would_merge(second: tuple[float, float, float], touches: bool) -> None:
    animals = ((100.0, 75.0, 0.0), second, (30.0, 30.0, 1.0))
    rows = np.array(animals)
    assert PLAIN.touching(rows[:, :2], rows[:, 2]).tolist() == [touches, touches, False]
    blobs = cv2.connectedComponents((draw(PLAIN, *animals) < 150).astype(np.uint8))[0] - 1
    assert blobs == (2 if touches else 3)
