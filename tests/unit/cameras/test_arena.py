from dataclasses import replace

import numpy as np

from zbus.cameras import SimSettings
from zbus.cameras._arena import Arena

SETTINGS = SimSettings(width=320, height=240, animals=3)


def test_frames_passed_over_change_nothing_for_those_after() -> None:
    one, other = Arena(SETTINGS), Arena(SETTINGS)
    one.advance_to(40, rate_hz=30.0)
    for number in range(41):
        other.advance_to(number, rate_hz=30.0)
    assert one.truth() == other.truth()
    assert np.array_equal(one.draw(), other.draw())


def test_there_is_no_way_back() -> None:
    arena = Arena(SETTINGS)
    arena.advance_to(5, rate_hz=30.0)
    truth = arena.truth()
    arena.advance_to(2, rate_hz=30.0)
    assert arena.truth() == truth


def test_bodies_stay_inside_the_picture_whole() -> None:
    arena = Arena(replace(SETTINGS, noise=0.0, light="even", speed_px_s=300.0, animals=8))
    for number in range(0, 300, 3):
        arena.advance_to(number, rate_hz=30.0)
        picture = arena.draw()
        rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (rim == rim[0]).all()


def test_a_picture_belongs_to_the_caller() -> None:
    arena = Arena(replace(SETTINGS, noise=0.0))
    first = arena.draw()
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(arena.draw(), kept)
