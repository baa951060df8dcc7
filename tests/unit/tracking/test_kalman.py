import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.tracking._kalman import ConstantVelocity

BOTH = np.array([0, 1])
STEPS = st.lists(st.floats(0.01, 20), min_size=1, max_size=30)


def walk(filters, truth, dt=1.0, noise_var=0.01):
    for places in truth:
        filters.predict(dt, 0.01)
        filters.update(BOTH, places, np.full(2, noise_var))


def test_it_learns_the_velocity_of_every_point():
    starts, steps = np.array([(10.0, 20), (200, 100)]), np.array([(3.0, -1), (-2, 4)])
    filters = ConstantVelocity(starts, 1.0, 100.0)
    walk(filters, [starts + k * steps for k in range(1, 30)])
    assert np.allclose(filters.velocities_px, steps, atol=0.01)
    filters.predict(5.0, 0.01)
    assert np.allclose(filters.positions_px, starts + 34 * steps, atol=0.1)


def test_one_long_step_equals_several_short_ones():
    one, several = (ConstantVelocity(np.zeros((2, 2)), 1.0, 1e6) for _ in range(2))
    for filters in (one, several):
        walk(filters, np.array([[(1.0, 2), (3, 4)], [(2, 3), (5, 6)]]))
    one.predict(3.0, 0.5)
    for _ in range(3):
        several.predict(1.0, 0.5)
    assert np.allclose(one.positions_px, several.positions_px)
    assert np.allclose(one.position_vars, several.position_vars)


def test_a_coasting_point_comes_to_rest():
    filters = ConstantVelocity(np.zeros((2, 2)), 1.0, 100.0)
    walk(filters, [np.full((2, 2), 5.0 * k) for k in range(1, 20)])
    before = filters.positions_px.copy()
    filters.predict(500.0, 0.01, keep=0.8)
    assert np.allclose(filters.velocities_px, 0, atol=1e-6)
    assert (np.abs(filters.positions_px - before) < 5 / -np.log(0.8) + 0.5).all()


@settings(deadline=None)
@given(STEPS, st.floats(0, 100), st.floats(0.3, 1), st.floats(1e-6, 1e4))
def test_it_stays_finite_and_its_variances_positive(steps, acceleration_var, keep, noise_var):
    filters = ConstantVelocity(np.zeros((2, 2)), 1.0, 25.0)
    for number, dt in enumerate(steps):
        filters.predict(dt, acceleration_var, keep)
        if number % 3 == 0:
            filters.update(BOTH, np.full((2, 2), float(number)), np.full(2, noise_var))
        assert np.isfinite(filters.positions_px).all()
        assert np.isfinite(filters.velocities_px).all()
        assert (filters.position_vars > 0).all()


@settings(deadline=None)
@given(st.floats(0.1, 50))
def test_a_worse_measurement_moves_it_less(noise_var):
    better, worse = (ConstantVelocity(np.zeros((2, 2)), 1.0, 1.0) for _ in range(2))
    better.update(BOTH, np.ones((2, 2)), np.full(2, noise_var))
    worse.update(BOTH, np.ones((2, 2)), np.full(2, noise_var * 2))
    assert (better.positions_px > worse.positions_px).all()


def test_it_stays_inside_the_picture():
    filters = ConstantVelocity(np.array([(5.0, 5), (90, 50)]), 1.0, 100.0)
    walk(filters, [np.array([(5.0 - k, 5), (90 + k, 50)]) for k in range(1, 8)])
    filters.predict(100.0, 0.0)
    filters.confine(100, 60)
    assert filters.positions_px.tolist() == [[0.0, 5.0], [99.0, 50.0]]
    assert (filters.velocities_px[:, 0] == 0).all()


def test_exchanged_points_take_each_others_motion():
    filters = ConstantVelocity(np.array([(0.0, 0), (50, 50)]), 1.0, 100.0)
    walk(filters, [np.array([(4.0 * k, 0), (50, 50 - 2 * k)]) for k in range(1, 9)])
    before = filters.positions_px.copy(), filters.velocities_px.copy()
    filters.exchange(BOTH, BOTH[::-1])
    assert np.array_equal(filters.positions_px, before[0][::-1])
    assert np.array_equal(filters.velocities_px, before[1][::-1])


def test_a_restarted_point_knows_nothing_of_its_velocity():
    filters = ConstantVelocity(np.zeros((2, 2)), 1.0, 100.0)
    walk(filters, [np.full((2, 2), 5.0 * k) for k in range(1, 9)])
    filters.restart(np.array([1]), np.array([(50.0, 60)]), 0.5)
    assert filters.positions_px[1].tolist() == [50.0, 60.0]
    assert filters.velocities_px[1].tolist() == [0.0, 0.0]
    assert filters.velocities_px[0, 0] > 4
