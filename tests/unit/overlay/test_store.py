"""The live set: replaced, expiring, bounded, counted, and never more than fits a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zbus.overlay import CAMERAS_MAX, DoorDefaults, OverlayStore
from zbus.wire import (
    SHAPES_MAX_PER_CAMERA,
    Origin,
    Overlay,
    Topic,
    decode_message,
    decode_overlay_set,
    encode_message,
    parse_overlay,
)

S = 1_000_000_000
ORIGIN = Origin("overlay", "s1", 0, 0)


def box(camera="cam1", id="", lifetime_s=None, x=0, **keys):
    form = {"DRAW_BOX": {"TOP_LEFT": [x, 0], "BOTTOM_RIGHT": [x + 10, 10]}, **keys}
    form |= {"camera": camera} if camera else {}
    form |= {"id": id} if id else {}
    form |= {"lifetime_s": lifetime_s} if lifetime_s is not None else {}
    return parse_overlay(form)


def clear(camera="", id=""):
    return Overlay("CLEAR", {}, camera, id)


def ids(store, camera="cam1", now_ns=0):
    return [shape.id for shape in store.snapshot(camera, now_ns).shapes]


def alive(store, now_ns=0):
    return sum(len(store.snapshot(camera, now_ns).shapes) for camera in store.live_cameras())


def test_a_shape_is_over_its_camera_with_what_remains_of_its_lifetime():
    store = OverlayStore()
    assert store.put(box(lifetime_s=2.0), 0) == {"cam1"}
    (shape,) = store.snapshot("cam1", S // 2).shapes
    assert shape.lifetime_s == 1.5
    assert shape.camera == "cam1" and shape.id
    assert store.snapshot("cam2", 0).shapes == ()


def test_the_lifetime_is_a_second_where_nobody_says_another():
    store = OverlayStore()
    store.put(box(), 0)
    assert store.next_expiry_ns() == S


def test_the_same_id_replaces_only_on_its_camera():
    store = OverlayStore()
    store.put(box(id="a", x=1), 0)
    store.put(box("cam2", id="a", x=2), 0)
    store.put(box(id="a", x=3), 0)
    assert [shape.geometry["TOP_LEFT"][0] for shape in store.snapshot("cam1", 0).shapes] == [3]
    assert [shape.geometry["TOP_LEFT"][0] for shape in store.snapshot("cam2", 0).shapes] == [2]
    assert store.counters["replaced"] == 1


def test_shapes_without_id_do_not_replace_each_other_nor_anybody_elses():
    store = OverlayStore()
    store.put(box(id="_2"), 0)
    store.put(box(), 0)
    store.put(box(), 0)
    assert len(set(ids(store))) == 3


def test_expire_tells_which_cameras_changed():
    store = OverlayStore()
    store.put(box(lifetime_s=1), 0)
    store.put(box("cam2", lifetime_s=3), 0)
    assert store.expire(S - 1) == frozenset()
    assert store.expire(S) == {"cam1"}
    assert store.next_expiry_ns() == 3 * S
    assert store.expire(3 * S) == {"cam2"}
    assert store.next_expiry_ns() is None
    assert store.live_cameras() == frozenset()


def test_a_snapshot_never_shows_what_has_ended():
    store = OverlayStore()
    store.put(box(lifetime_s=1), 0)
    assert store.snapshot("cam1", S).shapes == ()


def test_the_next_expiry_is_never_later_than_the_first_end():
    store = OverlayStore()
    store.put(box(id="a", lifetime_s=9), 0)
    store.put(box(id="b", lifetime_s=2), 0)
    store.put(box(id="b", lifetime_s=8), 0)
    store.expire(2 * S)
    assert store.next_expiry_ns() == 8 * S


def test_an_overlay_without_camera_is_over_every_camera_of_the_rig():
    store = OverlayStore(["cam1", "cam2"])
    assert store.put(box(camera=""), 0) == {"cam1", "cam2"}
    assert [shape.camera for shape in store.snapshot("cam2", 0).shapes] == ["cam2"]
    store.cameras = ["cam3"]
    assert store.put(box(camera=""), 0) == {"cam3"}


def test_an_overlay_for_nobody_is_refused_and_counted():
    store = OverlayStore()
    assert store.put(box(camera=""), 0) == frozenset()
    assert store.counters["refused"] == 1


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (clear(), []),
        (clear("cam1"), [("cam2", "a")]),
        (clear("", "a"), [("cam1", "b")]),
        (clear("cam1", "a"), [("cam1", "b"), ("cam2", "a")]),
        (clear("cam9"), [("cam1", "a"), ("cam1", "b"), ("cam2", "a")]),
        (clear("cam1", "z"), [("cam1", "a"), ("cam1", "b"), ("cam2", "a")]),
    ],
)
def test_clear_takes_away_what_it_names(wish, left):
    store = OverlayStore()
    for camera, name in (("cam1", "a"), ("cam1", "b"), ("cam2", "a")):
        store.put(box(camera, name), 0)
    changed = store.put(wish, 0)
    found = [(camera, name) for camera in ("cam1", "cam2") for name in ids(store, camera)]
    assert found == left
    assert bool(changed) == (len(left) < 3)
    assert store.counters["cleared"] == 3 - len(left)


def test_the_newest_256_shapes_of_a_camera_stay():
    store = OverlayStore()
    for number in range(SHAPES_MAX_PER_CAMERA + 44):
        store.put(box(id=f"a{number}"), 0)
    assert len(ids(store)) == SHAPES_MAX_PER_CAMERA
    assert ids(store)[-1] == "a299" and "a0" not in ids(store)
    assert store.counters["evicted"] == 44


@pytest.mark.parametrize("flood", [{}, {"id": "flood"}])
def test_one_flooder_does_not_evict_other_peoples_shapes(flood):
    store = OverlayStore()
    for number in range(20):
        store.put(box(id=f"honest{number}"), 0)
    for _ in range(5_000):
        store.put(box(**flood), 0)
    assert {f"honest{number}" for number in range(20)} <= set(ids(store))


def test_a_flooding_sender_with_many_ids_evicts_its_own_where_the_door_knows_senders():
    store = OverlayStore()
    store.put(box(id="mine"), 0, "honest")
    for number in range(1_000):
        store.put(box(id=f"x{number}"), 0, "flooder")
    assert ids(store)[0] == "mine"


def test_a_full_set_of_large_shapes_still_fits_its_message():
    store = OverlayStore()
    points = [[number + 0.123, -number - 0.5] for number in range(256)]
    for number in range(300):
        form = {"DRAW_POLYGON": {"POINTS": points}, "camera": "c" * 64, "id": f"{'ö' * 60}{number}"}
        store.put(parse_overlay(form | {"label": "𝄞" * 256}), 0)
    overlay_set = store.snapshot("c" * 64, 0)
    assert 1 < len(overlay_set.shapes) < 256
    parts = encode_message(Topic("overlay", "c" * 64), ORIGIN, overlay_set)
    assert decode_overlay_set(decode_message(parts)) == overlay_set


@given(
    st.lists(
        st.sampled_from(
            [
                {"DRAW_TEXT": {"AT": [-1e6, 0.1], "TEXT": "𝄞" * 256}},
                {"DRAW_CIRCLE": {"CENTER": [1_000_000, 1_000_000], "RADIUS": 0.5}},
                {"DRAW_LINE": {"FROM": [0.1, 0.2], "TO": [-1e6, 1e6]}},
                {"DRAW_POLYGON": {"POINTS": [[0.1, 0.2]] * 256}},
                {"DRAW_BOX": {"TOP_LEFT": [-1e6, 0.5], "BOTTOM_RIGHT": [1, 2]}},
            ]
        ),
        max_size=300,
    )
)
@settings(max_examples=20, deadline=None)
def test_whatever_is_drawn_fits_its_message(forms):
    store = OverlayStore()
    for number, form in enumerate(forms):
        keys = {"camera": "c" * 64, "id": f"{number:0>64}", "label": "𝄞" * 256, "color": [255] * 3}
        store.put(parse_overlay(form | keys), 0)
    encode_message(Topic("overlay", "c" * 64), ORIGIN, store.snapshot("c" * 64, 0))


def test_made_up_cameras_leave_room_for_those_of_the_rig():
    store = OverlayStore(["cam1"])
    for number in range(200):
        store.put(box(f"ghost{number}"), 0)
    assert len(store.live_cameras()) == CAMERAS_MAX - 1
    assert store.put(box("cam1"), 0) == {"cam1"}
    assert store.counters["refused"] == 200 - (CAMERAS_MAX - 1)
    store.cameras = [f"cam{number}" for number in range(100)]
    assert len(store.cameras) == CAMERAS_MAX
    assert store.live_cameras() == {"cam1"}


ACTIONS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(["cam1", "cam2", ""]), st.sampled_from(["", "a", "b"])),
    st.tuples(st.just("clear"), st.sampled_from(["cam1", ""]), st.sampled_from(["", "a"])),
    st.tuples(st.just("wait"), st.integers(0, 2 * S), st.none()),
)


@given(st.lists(ACTIONS, max_size=60))
@settings(max_examples=60, deadline=None)
def test_every_shape_is_accounted_for(actions):
    store, now_ns = OverlayStore(["cam1", "cam2"]), 0
    for action, first, second in actions:
        if action == "wait":
            now_ns += first
            store.expire(now_ns)
        else:
            store.put(box(first, second) if action == "put" else clear(first, second), now_ns)
        counts = store.counters
        gone = sum(counts[name] for name in ("replaced", "expired", "cleared", "evicted"))
        assert counts["accepted"] == gone + alive(store, now_ns)


class TestDoorDefaults:
    DOOR = DoorDefaults("cam1", "pymultivideo", 0.1, (100, 80))

    def test_what_a_message_leaves_open_is_filled_in(self):
        overlay = self.DOOR.apply(box(camera=""))
        assert overlay is not None
        assert (overlay.camera, overlay.id, overlay.lifetime_s) == ("cam1", "pymultivideo", 0.1)

    def test_what_a_message_says_stays(self):
        overlay = self.DOOR.apply(box("cam2", "mine", 0.0))
        assert overlay is not None
        assert (overlay.camera, overlay.id, overlay.lifetime_s) == ("cam2", "mine", 0.0)

    @pytest.mark.parametrize(
        ("corners", "taken"),
        [
            (([0, 0], [99, 79]), True),
            (([0, 0], [100, 79]), False),
            (([0, 0], [99, 80]), False),
            (([-1, 0], [5, 5]), False),
            (([0.5, 99.5], [5, 5]), False),
        ],
    )
    def test_a_box_with_a_corner_outside_is_ignored(self, corners, taken):
        overlay = parse_overlay({"DRAW_RECT": {"TOP_LEFT": corners[0], "BOTTOM_RIGHT": corners[1]}})
        assert (self.DOOR.apply(overlay) is not None) == taken

    def test_other_shapes_may_reach_outside(self):
        overlay = parse_overlay({"DRAW_CIRCLE": {"CENTER": [-5, 0], "RADIUS": 9}})
        assert self.DOOR.apply(overlay) is not None

    def test_the_plain_door_only_names_the_lifetime(self):
        assert DoorDefaults().apply(box("", "", None)) == box("", "", 1.0)


@pytest.mark.parametrize("within_px", [(640,), (640, 480, 3), (0, 480)])
def test_a_door_refuses_a_picture_size_that_is_none(within_px: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^within_px"):
        DoorDefaults(within_px=within_px)  # type: ignore[arg-type]


def test_a_door_leaves_boxes_of_other_cameras_alone() -> None:
    door = DoorDefaults(camera="one", within_px=(100, 100))
    geometry = {"TOP_LEFT": [0, 0], "BOTTOM_RIGHT": [500, 500]}
    assert door.apply(Overlay("DRAW_BOX", geometry)) is None
    assert door.apply(Overlay("DRAW_BOX", geometry, camera="one")) is None
    assert door.apply(Overlay("DRAW_BOX", geometry, camera="two")) is not None
