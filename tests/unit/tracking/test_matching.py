import numpy as np

from zbus.testing._detector_contract import draw_animals
from zbus.tracking._matching import NOBODY, Expected, Scene, find_misplaced, match
from zbus.tracking._pictures import find_blobs

AREA_PX = 188.0


def scene(places, angles=0.0, grays=50, debris=()):
    image = draw_animals(places, angles, grays=grays, floor=255)
    for x, y in debris:
        image[y : y + 5, x : x + 5] = 0
    mask = (image < 200).astype(np.uint8) * 255
    return Scene(find_blobs(mask, 5, 1e5, image), AREA_PX)


def expected(places, *, gate=36.0, grays=np.nan, lost=(), unsure=()):
    n = len(places)
    rows = np.arange(n)
    return Expected(
        places_px=np.array(places, float),
        gates_px=np.full(n, gate),
        areas_px=np.full(n, AREA_PX),
        grays=np.broadcast_to(np.array(grays, float), n),
        seen=~np.isin(rows, lost),
        unsure=np.isin(rows, unsure),
        length_px=24.0,
    )


def places_of(scene, owners):
    return [None if blob == NOBODY else scene.found.centroids_px[blob].round().tolist() for blob in owners]


def test_everyone_takes_the_blob_nearest_to_its_prediction():
    view = scene([(60, 50), (200, 100)])
    owners = match(view, expected([(205, 98), (55, 52)]))
    assert places_of(view, owners) == [[200, 100], [60, 50]]


def test_nobody_is_found_beyond_the_gate():
    view = scene([(60, 50), (200, 100)])
    owners = match(view, expected([(60, 50), (260, 100)]))
    assert places_of(view, owners) == [[60, 50], None]


def test_two_share_a_blob_with_area_for_two():
    view = scene([(100, 100), (120, 100)])
    owners = match(view, expected([(98, 100), (123, 100)]))
    assert owners.tolist() == [0, 0]


def test_two_share_a_blob_when_one_lies_on_the_other():
    view = scene([(100, 100), (102, 100)])
    owners = match(view, expected([(98, 100), (103, 101)]))
    assert owners.tolist() == [0, 0]


def test_debris_is_nobody():
    view = scene([(60, 50)], debris=[(80, 50)])
    assert places_of(view, match(view, expected([(61, 50), (82, 52)])))[1] is None


def test_a_lost_animal_robs_nobody():
    view = scene([(60, 50)])
    owners = match(view, expected([(60, 50), (64, 50)], lost=[0]))
    assert owners.tolist() == [NOBODY, 0]


def test_looks_decide_after_a_contact_and_only_then():
    view = scene([(100, 100), (128, 100)], grays=(40, 90))
    swapped = [(122, 100), (106, 100)]
    sure = match(view, expected(swapped, grays=(40, 90), gate=60))
    unsure = match(view, expected(swapped, grays=(40, 90), gate=60, unsure=[0, 1]))
    assert places_of(view, sure) == [[128, 100], [100, 100]]
    assert places_of(view, unsure) == [[100, 100], [128, 100]]


def test_no_blobs_no_owners():
    assert match(scene([]), expected([(10, 10)])).tolist() == [NOBODY]


def test_an_animal_on_debris_is_misplaced_while_a_blob_lies_unclaimed():
    view = scene([(60, 50)], debris=[(200, 100)])
    debris = int(np.argmin(view.found.areas_px))
    assert find_misplaced(view, expected([(202, 102)]), np.array([debris])) == (0, 1 - debris)
    assert find_misplaced(view, expected([(60, 50)]), np.array([1 - debris])) is None


def test_one_too_many_in_a_blob_is_misplaced():
    view = scene([(60, 50), (200, 100)])
    blob = int(np.argmin(view.found.centroids_px[:, 0]))
    assert find_misplaced(view, expected([(60, 50), (66, 50)]), np.array([blob, blob])) == (1, 1 - blob)
