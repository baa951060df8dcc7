import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.cameras._walk import MAX_TURN_RAD_S, Gait, Walk, Walls

WALLS = Walls(20.0, 20.0, 620.0, 460.0)
GAIT = Gait(speed_px_s=70.0, body_length_px=30.0, crossings_per_min=12.0)
STEP_S = 1 / 30


def record(walk: Walk, steps: int) -> tuple[np.ndarray, np.ndarray]:
    centroids, headings = [walk.centroids_px.copy()], [walk.headings_rad.copy()]
    for _ in range(steps):
        walk.advance(STEP_S)
        centroids.append(walk.centroids_px.copy())
        headings.append(walk.headings_rad.copy())
    return np.array(centroids), np.array(headings)


def test_the_same_seed_walks_the_same_way() -> None:
    one, _ = record(Walk(4, WALLS, GAIT, seed=3), 200)
    other, _ = record(Walk(4, WALLS, GAIT, seed=3), 200)
    third, _ = record(Walk(4, WALLS, GAIT, seed=4), 200)
    assert np.array_equal(one, other)
    assert not np.allclose(one, third)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.floats(0.0, 2000.0))
def test_nobody_leaves_the_arena_or_turns_at_once(seed: int, animals: int, speed_px_s: float) -> None:
    gait = Gait(speed_px_s, body_length_px=30.0, crossings_per_min=60.0)
    centroids, headings = record(Walk(animals, WALLS, gait, seed), 60)
    assert (centroids >= 20.0).all()
    assert (centroids[..., 0] <= 620.0).all()
    assert (centroids[..., 1] <= 460.0).all()
    turns = np.abs((np.diff(headings, axis=0) + math.pi) % (2 * math.pi) - math.pi)
    assert (turns <= MAX_TURN_RAD_S * STEP_S + 1e-9).all()


def test_animals_go_where_they_look() -> None:
    centroids, headings = record(Walk(5, WALLS, GAIT, seed=1), 600)
    steps = np.diff(centroids, axis=0)
    inside = ((centroids[1:] > 21) & (centroids[1:] < [619, 459])).all(axis=2)
    ahead = np.stack([np.cos(headings[1:]), np.sin(headings[1:])], axis=2)
    sideways = np.abs(steps[..., 0] * ahead[..., 1] - steps[..., 1] * ahead[..., 0])
    assert sideways[inside].max() < 1e-9


def test_the_mean_speed_is_the_one_asked_for_and_it_changes() -> None:
    centroids, _ = record(Walk(10, WALLS, GAIT, seed=2), 1500)
    speeds_px_s = np.linalg.norm(np.diff(centroids, axis=0), axis=2) / STEP_S
    assert 0.75 * 70 < speeds_px_s.mean() < 1.1 * 70
    assert speeds_px_s.std() > 10.0


def test_animals_pause_now_and_then() -> None:
    gait = Gait(70.0, 30.0, crossings_per_min=0.0)
    centroids, _ = record(Walk(10, WALLS, gait, seed=2), 900)
    speeds_px_s = np.linalg.norm(np.diff(centroids, axis=0), axis=2) / STEP_S
    resting = (speeds_px_s < 3.0).mean()
    assert 0.01 < resting < 0.3


@pytest.mark.parametrize("seed", range(5))
def test_paths_cross(seed: int) -> None:
    centroids, _ = record(Walk(2, WALLS, GAIT, seed), 30 * 60)
    apart_px = np.linalg.norm(centroids[:, 0] - centroids[:, 1], axis=1)
    meetings = np.diff((apart_px < 10.0).astype(int)).clip(0).sum()
    assert meetings >= 3
    assert np.median(apart_px) > 60.0, "they part again after they have met"


def test_long_steps_are_cut() -> None:
    walk = Walk(3, WALLS, GAIT, seed=1)
    walk.advance(30.0)
    assert np.isfinite(walk.centroids_px).all()


def test_an_empty_arena_walks_too() -> None:
    walk = Walk(0, WALLS, GAIT, seed=1)
    walk.advance(1.0)
    assert walk.centroids_px.shape == (0, 2)


def test_animals_start_apart() -> None:
    places = Walk(8, WALLS, GAIT, seed=5).centroids_px
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(8) * 1e6
    assert apart.min() > 60.0
