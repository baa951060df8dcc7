from zbus.tracking._pace import LONGEST_STEP_FRAMES, Pace

MS = 1_000_000


def test_a_step_is_one_frame_at_any_steady_rate():
    for interval_ns in (2 * MS, 33 * MS, 500 * MS):
        pace = Pace()
        assert [pace.step(k * interval_ns) for k in range(5)] == [1.0] * 5


def test_lost_pictures_make_a_longer_step():
    pace = Pace()
    for k in range(10):
        pace.step(k * 10 * MS)
    assert pace.step(130 * MS) == 4.0


def test_no_time_and_no_progress_are_one_frame():
    pace = Pace()
    assert [pace.step(t_ns) for t_ns in (None, 50, 50, 20, None, 70)] == [1.0] * 6


def test_a_long_silence_is_bounded():
    pace = Pace()
    for k in range(5):
        pace.step(k * MS)
    assert pace.step(10**15) == LONGEST_STEP_FRAMES
