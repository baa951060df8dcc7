import numpy as np
import pytest

from zbus.errors import TrackingError
from zbus.testing._detector_contract import draw_animals
from zbus.testing._tracker_contract import check_identities, check_tracks
from zbus.tracking import Detections, FixedCountSettings, FixedCountTracker
from zbus.tracking._pictures import find_blobs

from .films import add_noise, film, rmse_px, straight, wander

FRAME_NS = 20_000_000


def detect(image, *, looks=True):
    mask = (image < 130).astype(np.uint8) * 255
    return find_blobs(mask, 15, 1e5, image if looks else None)


def track(images, animals, *, looks=True, times_ns=None):
    tracker = FixedCountTracker(FixedCountSettings(animals))
    times_ns = times_ns or [None] * len(images)
    run = [
        tracker.update(detect(image, looks=looks), t_ns) for image, t_ns in zip(images, times_ns, strict=True)
    ]
    for tracks in run:
        check_tracks(tracks)
        assert len(tracks) in (0, animals)
    return run


def rows(centroids):
    n = len(centroids)
    places = np.array(centroids, float).reshape(n, 2)
    boxes = np.hstack([places - 8, places + 8])
    return Detections(places, boxes, np.full(n, 180.0), np.ones(n), np.zeros(n, np.int64))


def test_animals_apart_are_followed_exactly():
    truth = straight([(30, 30), (30, 200), (290, 120)], [(4, 1), (5, -1), (-4, 1)], 50)
    run = track(film(truth, noise=4), 3)
    check_identities(run, truth, 2)
    assert rmse_px(run, truth) < 0.5
    assert run[0].track_ids.tolist() == [1, 2, 3]
    assert run[0].states == ("tentative",) * 3
    assert run[-1].states == ("confirmed",) * 3
    assert (run[-1].scores == 1).all()


def test_fast_animals_that_pass_close_keep_their_identity():
    # Each step is longer than the distance to the neighbor: the nearest last place is the wrong one.
    truth = straight([(20, 100), (300, 118)], [(20, 0), (-20, 0)], 14)
    run = track(film(truth, body_px=(16, 8)), 2, looks=False)
    check_identities(run, truth, 3)


def test_a_crossing_is_carried_through_by_motion_alone():
    truth = straight([(60, 60), (60, 180)], [(5, 3), (5, -3)], 40)
    run = track(film(truth), 2, looks=False)
    check_identities(run, truth, 6)
    assert rmse_px(run, truth) < 2
    assert min(tracks.scores.min() for tracks in run) < 0.7
    assert all(state != "lost" for tracks in run for state in tracks.states)


@pytest.mark.parametrize("looks", [True, False])
def test_animals_that_rest_side_by_side_and_part_again(looks):
    ways = [np.linspace(-60, -5.2, 30), np.full(40, -5.2), np.linspace(-5.2, -60, 30)]
    offsets = np.concatenate(ways)
    truth = np.stack(
        [np.column_stack([160 + 0.3 * offsets, 120 + sign * offsets]) for sign in (1, -1)], axis=1
    )
    images = [draw_animals(places, 0.0, size_px=(240, 320), grays=(40, 80)) for places in truth]
    run = track([add_noise(image, 3, k) for k, image in enumerate(images)], 2, looks=looks)
    check_identities(run, truth, 4)


def test_looks_tell_who_turned_back_after_a_meeting():
    # They meet, hide each other entirely and bounce back: motion alone would carry them through.
    offsets = np.concatenate([np.linspace(-80, 0, 26), np.linspace(0, -80, 26)])
    truth = np.stack([np.column_stack([160 + s * offsets, 120 + 0 * offsets]) for s in (1, -1)], axis=1)
    images = [draw_animals(places, 0.0, size_px=(240, 320), grays=(40, 90)) for places in truth]
    run = track(images, 2)
    owners = np.linalg.norm(truth[-1][:, None] - run[-1].centroids_px, axis=-1).argmin(axis=1).tolist()
    first = np.linalg.norm(truth[0][:, None] - run[0].centroids_px, axis=-1).argmin(axis=1).tolist()
    assert owners == first


def test_an_animal_that_hides_is_lost_coasts_and_is_found_again():
    truth = straight([(20, 60), (300, 180)], [(4, 0), (-4, 0)], 60)
    images = film(truth)
    for image in images:
        image[:110, 120:150] = 180
    run = track(images, 2)
    hidden = next(k for k, tracks in enumerate(run) if "lost" in tracks.states)
    assert 20 < hidden < 35
    lost = run[hidden].states.index("lost")
    assert run[hidden].scores[lost] < 0.5
    assert np.linalg.norm(run[hidden + 2].centroids_px[lost] - truth[hidden + 2, 0]) < 8
    assert run[-1].states == ("confirmed", "confirmed")
    check_identities(run, truth, 16)


def test_after_an_empty_picture_identities_stay():
    truth = straight([(30, 60), (60, 180)], [(5, 0), (4, 0)], 30)
    images = film(truth)
    for k in (10, 11, 12):
        images[k] = draw_animals([], size_px=(240, 320))
    run = track(images, 2)
    assert run[11].states == ("lost", "lost")
    check_identities(run, truth, 6)


def test_one_that_reappears_far_away_is_found_again():
    images = film(straight([(30, 60)], [(1, 0)], 20))
    images += [draw_animals([], size_px=(240, 320))] * 40
    images += film(straight([(280, 200)], [(-1, 0)], 10))
    run = track(images, 1)
    assert np.linalg.norm(run[-1].centroids_px[0] - (271, 200)) < 1


def test_debris_is_not_an_animal():
    truth = straight([(30, 60), (290, 180)], [(4, 1), (-4, -1)], 50)
    debris = draw_animals([(100, 90), (200, 150), (60, 200), (160, 110)], size_px=(240, 320), body_px=(7, 6))
    run = track(film(truth, floor=debris, noise=3), 2)
    check_identities(run, truth, 4)


def test_one_that_was_put_on_debris_is_put_back():
    tracker = FixedCountTracker(FixedCountSettings(1))
    truth = straight([(30, 60)], [(4, 0)], 60)
    for number, image in enumerate(film(truth)):
        shown = draw_animals([], size_px=(240, 320)) if 20 <= number < 30 else image
        shown[60:69, 130:139] = 50
        tracks = tracker.update(detect(shown))
    assert np.linalg.norm(tracks.centroids_px[0] - truth[-1, 0]) < 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_herd_is_followed_through_its_meetings(seed):
    truth = wander(6, 150, seed)
    run = track(film(truth, noise=4, seed=seed, grays=(35, 45, 55, 65, 75, 85)), 6)
    assert rmse_px(run, truth) < 4
    last = np.linalg.norm(truth[-1][:, None] - run[-1].centroids_px, axis=-1).argmin(axis=1)
    assert sorted(last.tolist()) == list(range(6))


def test_lost_pictures_are_bridged_by_their_times():
    truth = straight([(20, 60), (300, 66)], [(7, 0), (-7, 0)], 40)
    kept = [k for k in range(40) if k < 12 or k > 17]
    images = film(truth, body_px=(16, 6))
    run = track([images[k] for k in kept], 2, looks=False, times_ns=[k * FRAME_NS for k in kept])
    check_identities(run, truth[kept], 4)


def test_it_waits_for_a_clear_start_and_not_forever():
    image = draw_animals([(100, 100), (118, 100)], size_px=(240, 320))
    tracker = FixedCountTracker(FixedCountSettings(2, start_frames=4))
    counts = [len(tracker.update(detect(image))) for _ in range(6)]
    assert counts == [0, 0, 0, 0, 2, 2]


def test_no_animals_no_rows():
    tracker = FixedCountTracker(FixedCountSettings(2))
    empty = draw_animals([], size_px=(240, 320))
    assert [len(tracker.update(detect(empty))) for _ in range(30)] == [0] * 30


def test_detections_without_a_mask_will_do():
    tracker = FixedCountTracker(FixedCountSettings(2))
    for k in range(30):
        apart = rows([(20 + 6 * k, 60), (200 - 6 * k, 70)])
        merged = Detections(
            np.array([[110.0, 65]]),
            np.array([[95.0, 50, 125, 80]]),
            np.array([300.0]),
            np.ones(1),
            np.zeros(1, np.int64),
        )
        tracks = tracker.update(merged if 14 <= k <= 16 else apart)
        check_tracks(tracks)
    assert tracks.centroids_px.round().tolist() == [[194.0, 60.0], [26.0, 70.0]]


@pytest.mark.parametrize("field", ["centroids_px", "boxes_xyxy_px", "areas_px", "scores"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_detection_that_is_not_finite_is_named(field, value):
    found = rows([(20, 60), (200, 70), (90, 90)])
    getattr(found, field)[1] = value
    with pytest.raises(TrackingError, match=f"row 1: {field}"):
        FixedCountTracker(FixedCountSettings(2)).update(found)


def test_a_reset_forgets_everything():
    tracker = FixedCountTracker(FixedCountSettings(1))
    for _ in range(5):
        tracker.update(rows([(20, 20)]))
    tracker.reset()
    assert tracker.update(rows([(200, 200)])).centroids_px.round().tolist() == [[200.0, 200.0]]


@pytest.mark.parametrize(
    ("field", "value"),
    [("animals", 0), ("max_step_px", -1.0), ("max_step_px", float("inf")), ("start_frames", -1)],
)
def test_a_wrong_setting_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"^{field} "):
        FixedCountSettings(**{field: value})
